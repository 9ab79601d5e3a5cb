package sakuli

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

// How what is too slow rolls up. Of Sakuli itself, version 1 left a case whose step was
// over its critical time at ok.
func TestThresholds(t *testing.T) {
	base := serve(t)
	for _, tc := range []struct {
		name                  string
		step, testcase, suite string // thresholds in seconds
		fails                 bool
		want                  [4]results.Status // step, case, suite, result
	}{
		{"none", "0, 0", "0, 0", "0/0", false, [4]results.Status{}},
		{"within", "60, 70", "60, 70", "60/70", false, [4]results.Status{}},
		{"step over warning", "0.01, 70", "60, 70", "60/70", false, [4]results.Status{1, 1, 1, 1}},
		{"step over critical", "0.01, 0.02", "60, 70", "60/70", false, [4]results.Status{2, 2, 2, 2}},
		{"step over critical without warning", "0, 0.02", "0, 0", "0/0", false, [4]results.Status{2, 2, 2, 2}},
		{"case over warning", "60, 70", "0.01, 70", "60/70", false, [4]results.Status{0, 1, 1, 1}},
		{"case over critical", "60, 70", "0.01, 0.02", "60/70", false, [4]results.Status{0, 2, 2, 2}},
		{"suite over warning", "60, 70", "60, 70", "0.01/70", false, [4]results.Status{0, 0, 1, 1}},
		{"suite over critical", "60, 70", "60, 70", "0.01/0.02", false, [4]results.Status{0, 0, 2, 2}},
		{"step over critical, case over warning", "0.01, 0.02", "0.01, 70", "0/0", false, [4]results.Status{2, 2, 2, 2}},
		{"step over warning, suite over critical", "0.01, 70", "0, 0", "0.01/0.02", false, [4]results.Status{1, 1, 2, 2}},
		{"an exception, however fast", "60, 70", "60, 70", "60/70", true, [4]results.Status{2, 2, 2, 2}},
		{"an exception, however slow", "0.01, 70", "0.01, 70", "0.01/70", true, [4]results.Status{2, 2, 2, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			warning, critical, _ := strings.Cut(tc.suite, "/")
			js := fmt.Sprintf(`var testCase = new TestCase(%s);
try { _wait(50); if (%v) throw "no mugs"; testCase.endOfStep("pour", %s) }
catch (e) { testCase.handleException(e) } finally { testCase.saveResult() }`, tc.testcase, tc.fails, tc.step)
			s, err := Load(writeFiles(t, map[string]string{
				"testsuite.suite": "case1/check.js", "case1/check.js": js,
				"testsuite.properties": "testsuite.warningTime=" + warning + "\ntestsuite.criticalTime=" + critical,
			}), testVars(base), nil, discard())
			if err != nil {
				t.Fatal(err)
			}
			r := runSuite(t, s, time.Minute)
			want := fmt.Sprintf("suite: %v\n  case1: %v\n    pour: %v\n", tc.want[2], tc.want[1], tc.want[0])
			if r.Status != tc.want[3] || tree(r) != want {
				t.Errorf("got %v: %s\n%swant %v\n%s", r.Status, r.Message, tree(r), tc.want[3], want)
			}
			if tc.fails != (r.Cause == results.CauseAnswer) || r.Status != results.OK && !tc.fails && r.Cause != results.CauseSlow {
				t.Errorf("got cause %q", r.Cause)
			}
		})
	}
}

const handled = "var testCase = new TestCase(0, 0);\ntry {\n%s\ntestCase.endOfStep('pour', 5, 10);\n" +
	"testCase.endOfStep('pay', 20, 30);\n} catch (e) { testCase.handleException(e) } finally { testCase.saveResult() }\n"

// Who is to blame, and where it happened.
func TestBlame(t *testing.T) {
	base := serve(t)
	dead := httptest.NewServer(nil)
	dead.Close()
	for _, tc := range []struct {
		js     string
		status results.Status
		cause  results.Cause
		says   string
	}{
		{`_setFetchTimeout(300); _click(_link("Lgo in"))`, results.Critical, results.CauseTimeout, `case1: case1/check.js:3:30: _click(_link("Lgo in")): there is no _link("Lgo in")`},
		{`_setFetchTimeout(300); _click(_submit("Log on"))`, results.Critical, results.CauseTimeout, `did you mean "Log in"?`},
		{`_setFetchTimeout(300); _click(_submit("Nothing"))`, results.Critical, results.CauseTimeout, `titled "Log in", says "Mugs`},
		{`_navigateTo("` + dead.URL + `/?token=s3cret")`, results.Critical, results.CauseRefused, "net::ERR_CONNECTION_REFUSED"},
		{`_navigateTo("/500")`, results.Critical, results.CauseAnswer, "answered 500"},
		{`_assertEqual("Beer", _getText(_heading1(0)))`, results.Critical, results.CauseAnswer, `case1/check.js:3:13: _assertEqual: got "Mugs", want "Beer"`},
		{`_assertTrue(_exists(_heading1("Beer")), "no beer")`, results.Critical, results.CauseAnswer, `_assertTrue: got false, want true: no beer`},
		{`_setFetchTimeout(300); _assertExists(_heading1("Beer"))`, results.Critical, results.CauseAnswer, `there is no _heading1("Beer")`},
		{`_eval("throw new Error('in the page')")`, results.Critical, results.CauseAnswer, "threw in the page"},
		{`throw "no mugs"`, results.Critical, results.CauseAnswer, "no mugs"},
		{`throw new Error("no mugs")`, results.Critical, results.CauseAnswer, "case1/check.js:3:7: Error: no mugs"},
		{`testCase.throwException("no mugs", true)`, results.Critical, results.CauseAnswer, "case1/check.js:3:24: no mugs"},
		{`mug.fill()`, results.Unknown, results.CauseInternal, "case1/check.js:3:1: ReferenceError: mug is not defined"},
		{`_getText(_heading1(0)).match(/beer/)[0]`, results.Unknown, results.CauseInternal, "TypeError"},
		{`_click("Log in")`, results.Unknown, results.CauseInternal, `case1/check.js:3:7: got "Log in", want an element such as _link("Log in")`},
		{`_click(_byXPath("//["))`, results.Unknown, results.CauseInternal, "not a valid XPath"},
		{`_eval("1 +")`, results.Unknown, results.CauseInternal, "threw"},
		{`(function f() { f() })()`, results.Unknown, results.CauseInternal, "calls itself without end"},
		{`for (var i = 0; ; i++) { i % 7 }`, results.Unknown, results.CauseStalled, "case1/check.js:3:"},
		{`setTimeout(function () {}, 3600000)`, results.Unknown, results.CauseStalled, "setTimeout"},
		{`_wait(3600000)`, results.Unknown, results.CauseStalled, "while the suite waited"},
		{`while (!_exists(_link("Beer"))) {}`, results.Critical, results.CauseTimeout, `_exists(_link("Beer"))`},
		{`_readFile("../../secret")`, results.Unknown, results.CauseInternal, "not in the suite's directory"},
		{`_readFile("/etc/passwd")`, results.Unknown, results.CauseInternal, "not in the suite's directory"},
		{`_readFile("nowhere")`, results.Unknown, results.CauseInternal, "no such file"},
		{`require("fs")`, results.Unknown, results.CauseInternal, "there is no Node here"},
		{`_navigateTo("file:///etc/passwd")`, results.Unknown, results.CauseInternal, "want an address with http://"},
	} {
		t.Run(tc.js, func(t *testing.T) {
			t.Parallel()
			timeout := 30 * time.Second
			if tc.cause == results.CauseStalled || strings.HasPrefix(tc.js, "while") {
				timeout = 3 * time.Second
			}
			r := runSuite(t, write(t, base, "/login.html", fmt.Sprintf(handled, tc.js)), timeout)
			if r.Status != tc.status || r.Cause != tc.cause || !strings.Contains(r.Message, tc.says) {
				t.Errorf("got %v (%s): %s\nwant %v (%s): %s", r.Status, r.Cause, r.Message, tc.status, tc.cause, tc.says)
			}
			if strings.Contains(r.Message, "s3cret") {
				t.Errorf("the message shows a secret: %s", r.Message)
			}
			if tc.cause == results.CauseStalled && strings.Contains(tc.js, "setTimeout") {
				return // its steps were over
			}
			want := fmt.Sprintf("suite: %[1]v\n  case1: %[1]v\n    pour: %[1]v\n    pay: unknown\n", tc.status)
			if tree(r) != want {
				t.Errorf("got\n%swant\n%s", tree(r), want)
			}
			for _, s := range r.Steps {
				if s.Name == "pay" && (s.Warning != 20*time.Second || s.Critical != 30*time.Second || s.Cause != results.CauseStopped) {
					t.Errorf("got %+v, want the step that was not reached with its limits", s)
				}
				if s.Name == "pour" && r.Duration < 2*time.Second && (len(s.Artifacts) == 0 || s.Artifacts[0].Name != "failure") {
					t.Errorf("got %d artifacts of the failure, want a picture first", len(s.Artifacts))
				}
			}
		})
	}
}

// What fails is counted to the step that is named next behind it, and not to one that
// the case went past.
func TestNameOfFailure(t *testing.T) {
	base := serve(t)
	t.Parallel()
	r := runSuite(t, write(t, base, "/login.html", `var t = new TestCase();
if (_exists(_div("cookies"))) { t.endOfStep("banner") }
try { throw "no mugs"; t.endOfStep("pour", 1, 2) } catch (e) { t.handleException(e) }
t.endOfStep("after all"); t.saveResult()`), time.Minute)
	want := "suite: critical\n  case1: critical\n    pour: critical\n    after all: ok\n    banner: unknown\n"
	if tree(r) != want {
		t.Errorf("got\n%swant\n%s", tree(r), want)
	}
}

// What version 2 adds: promises that fail.
func TestPromises(t *testing.T) {
	base := serve(t)
	for _, tc := range []struct {
		js   string
		says string // empty is ok
	}{
		{`(async () => { await _click(_submit("Log in")); })().then(done)`, ""},
		{`_click(_submit("Log in")).then(() => _assertEqual("Account", _title())).then(done)`, ""},
		{`(async () => { await Promise.all([_setValue(_textbox("user"), "ada"), _assertEqual("Log in", _title())]) })()`, ""},
		{`(async () => { await _setFetchTimeout(300); await _click(_link("Beer")); })()`, `case1/check.js:1:57: _click(_link("Beer")): there is no`},
		{`(async () => { _setFetchTimeout(300); _click(_link("Beer")); })()`, `there is no _link("Beer")`},
		{`(async () => { _setFetchTimeout(300); try { await _click(_link("Beer")) } catch (e) { if (!/there is no/.test(e.message)) throw e } })()`, ""},
		{`(async () => { await _assertFalse(_isVisible(_heading1("Mugs")), "seen"); })()`, "got true, want false: seen"},
		{`(async () => { await _assertEqual({a: [1]}, {a: [1]}); await _assertEqual(1, "1"); })()`, `got "1", want 1`},
		{`(async () => { await _wait(300, () => _exists(_link("Beer"))); })()`, "_wait: not true after 300ms"},
		{`(async () => { const e = await _fetch(_heading1(0)); if (await e.getText() !== "Mugs") throw "not it"; })()`, ""},
		{`(async () => { let n = 0; await new Promise((ok) => { const t = setInterval(() => { if (++n == 3) { clearInterval(t); ok() } }, 5) }) })()`, ""},
		{`(async () => { const { logIn } = require("./login"); await logIn() })()`, "case1/login.js:1:59: Error: no way in"},
		{`(async () => { await _navigateTo("/guarded"); await _authenticate("ada", "opensesame"); await _assertExists(_heading1("Hello ada")) })()`, ""},
	} {
		t.Run(tc.js, func(t *testing.T) {
			t.Parallel()
			s, err := Load(writeFiles(t, map[string]string{
				"testsuite.suite": "case1/check.js " + base + "/login.html", "case1/check.js": tc.js,
				"case1/login.js": `module.exports.logIn = async () => { await Promise.reject(new Error("no way in")) }`,
			}), testVars(base), nil, discard())
			if err != nil {
				t.Fatal(err)
			}
			r := runSuite(t, s, 30*time.Second)
			if (r.Status == results.OK) != (tc.says == "") || !strings.Contains(r.Message, tc.says) {
				t.Errorf("got %v: %s\nwant %s", r.Status, r.Message, tc.says)
			}
		})
	}
}

// A case that fails keeps no other from running; a page is shared by the cases, or not.
func TestCases(t *testing.T) {
	base := serve(t)
	load := func(properties string) *Suite {
		s, err := Load(writeFiles(t, map[string]string{
			"testsuite.suite": "one " + base + "/login.html\n\n// a comment\ntwo/check.js " + base + "/order.html\nthree/check.js " + base + "/500\n",
			"one/check.js":    `var t = new TestCase(["first", 1, 2]); _eval("sessionStorage.setItem('mug', 'blue'); document.cookie = 'mug=blue'"); t.endOfStep("in"); throw "no mugs"`,
			"two/check.js": `var t = new TestCase("second"); t.startStep("look", 9); _assertEqual(vars.mug, _eval("return document.cookie || ''"));
if (t.getID() !== "second" || !/\/two$/.test(t.getTestCaseFolderPath()) || !/order.html$/.test(t.getLastURL())) throw t.getLastURL();
t.endOfStep(); t.saveResult()`,
			"three/check.js":       `var t = new TestCase(); t.endOfStep("never")`,
			"testsuite.properties": properties,
		}), testVars(base), map[string]string{"mug": map[bool]string{true: "", false: "mug=blue"}[strings.Contains(properties, "reuse")]}, discard())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, properties := range []string{"testsuite.id=x", "testsuite.id=x\ntestsuite.reuseBrowser=false"} {
		r := runSuite(t, load(properties), time.Minute)
		want := "x: critical\n  first: critical\n    in: ok\n    step 2: critical\n  second: ok\n    look: ok\n  three: unknown\n    never: unknown\n"
		if got := strings.ReplaceAll(tree(r), "  browser: ok\n", ""); got != want {
			t.Errorf("%s: got %s\n%swant\n%s", properties, r.Message, got, want)
		}
		if !strings.Contains(r.Message, "first: one/check.js:1:137: no mugs") || !strings.Contains(r.Message, "three: open "+base+"/500: answered 500") {
			t.Errorf("got %s", r.Message)
		}
	}
}

// The browser that ends is no fault of the service.
func TestBrowserEnds(t *testing.T) {
	base := serve(t)
	t.Parallel()
	own := journeys.NewPool(journeys.PoolOptions{Dir: profiles}, discard())
	s := write(t, base, "/login.html", fmt.Sprintf(handled, `_click(_submit("Log in")); _click(_link("Nowhere"))`))
	rec := results.NewRecorder()
	done := make(chan results.Result)
	go func() {
		done <- rec.Finish(NewCheck(s, own, journeys.EvidenceOnFailure, discard()).Run(t.Context(), rec))
	}()
	for len(rec.Finish(nil).Steps) < 7 { // the second click has begun
		if sleep(t.Context(), 10*time.Millisecond) != nil {
			t.Fatal("the suite does not come to its second click")
		}
	}
	if err := own.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.Status != results.Unknown || r.Cause != results.CauseBrowser {
		t.Errorf("got %v (%s): %s, want unknown (browser)", r.Status, r.Cause, r.Message)
	}
}

// What is typed into a password field, and what came as a secret, is in nothing that
// a result shows.
func TestSecrets(t *testing.T) {
	base := serve(t)
	t.Parallel()
	vars := testVars(base)
	vars.Secrets.Add("v4ult-secret")
	s, err := Load(writeFiles(t, map[string]string{
		"testsuite.suite": "case1/check.js " + base + "/login.html",
		"case1/check.js": `var t = new TestCase("in with " + vars.key);
try {
  _setValue(_password("key"), "typed-secret"); _setValue(_textbox("user"), process.env.SHOP_KEY + process.env.SHOP_URL);
  t.endOfStep("as " + process.env.SHOP_KEY);
  _setFetchTimeout(300);
  _click(_link(vars.key + _getValue(_password("key"))))
} catch (e) { t.handleException(e + process.env.SHOP_KEY) }`,
	}), vars, map[string]string{"key": "v4ult-secret"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	r := runSuite(t, s, time.Minute)
	for i := range r.Steps {
		r.Steps[i].Artifacts = nil
	}
	all := fmt.Sprintf("%+v", r)
	for _, secret := range []string{"typed-secret", "v4ult-secret", "k3y-of-the-shop"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is in %s", secret, all)
		}
	}
	if r.Status != results.Critical || !strings.Contains(r.Message, "***") {
		t.Errorf("got %v: %s", r.Status, r.Message)
	}
}
