package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/journeys/recorder"
	"github.com/foreshock/foreshock/results"
)

// recording is a recording of testdata, with its pages at base.
func recording(tb testing.TB, base, name string, changes ...string) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/recordings/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), name)
	out := strings.NewReplacer(append(changes, "$BASE", base)...).Replace(string(text))
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// imported is the journey that the recording at path becomes as a file of its own.
func imported(tb testing.TB, path string) *Journey {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := recorder.Read(path, text)
	if err != nil {
		tb.Fatal(err)
	}
	path = strings.TrimSuffix(path, ".json") + ".yaml"
	if err := os.WriteFile(path, r.YAML(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return loaded(tb, path)
}

func loaded(tb testing.TB, path string) *Journey {
	tb.Helper()
	j, err := Load(path, testVars(filepath.Dir(path)), nil)
	if err != nil {
		text, _ := os.ReadFile(path)
		tb.Fatalf("%v\n%s", err, text)
	}
	return j
}

// Each recording is well, run as it is and as the journey file that the import makes of
// it, with the same steps.
func TestRecordings(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	files, err := filepath.Glob("testdata/recordings/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			path := recording(t, base, filepath.Base(file))
			direct, file := loaded(t, path), imported(t, path)
			if direct.Name != file.Name {
				t.Errorf("got the names %q and %q, want the same", direct.Name, file.Name)
			}
			var names [2][]string
			for i, j := range []*Journey{direct, file} {
				r := walk(t, p, j, 90*time.Second)
				wantResult(t, r, results.OK, "")
				for _, s := range r.Steps {
					names[i] = append(names[i], s.Name)
				}
			}
			if a, b := strings.Join(names[0], "\n"), strings.Join(names[1], "\n"); a != b {
				t.Errorf("got the steps\n%s\nand as a journey file\n%s", a, b)
			}
		})
	}
}

// A frame may be of another site: the way to it is the same.
func TestRecordingWithStrangeFrame(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	other := strings.Replace(serve(t), "127.0.0.1", "localhost", 1)
	path := recording(t, base, "shadow-and-frames.json", "$BASE/recorded.html", base+"/recorded.html?other="+other)
	wantResult(t, walk(t, p, loaded(t, path), 60*time.Second), results.OK, "")

	// Recorders name such a frame as if it were a page.
	path = recording(t, base, "shadow-and-frames.json", "$BASE/recorded.html", base+"/recorded.html?other="+other,
		`"frame": [0], "target": "main"`, `"target": "`+other+`/recorded-frame.html"`,
		`"frame": [0, 0]`, `"target": "`+other+`/recorded-frame.html", "frame": [0]`,
		`"frame": [0]`, `"target": "`+other+`/recorded-frame.html"`)
	wantResult(t, walk(t, p, loaded(t, path), 60*time.Second), results.OK, "")
}

// What an action of a recording waits for and does not get is told as a user would
// check it.
func TestActionsOfRecordingsThatFail(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for action, want := range map[string]string{
		`click: {any: ["#no", {aria: Nobody, role: button}, ["x-basket", ".no"]]}`:          `click #no (or 2 others): no such element; tried #no, button "Nobody", x-basket > .no after`,
		`click: {any: ["label", "input"]}`:                                                  "matches 8 elements: label",
		`click: {css: "#go", frame: [3]}`:                                                   "click #go in frame 3: there is no frame 3 after",
		`fill: {into: "#terms", value: perhaps}`:                                            "fill #terms: is input#terms, which takes true, false or its own value after",
		`fill: {into: "#plan", value: none}`:                                                "has no such option, only: Free, Paid after",
		`elements: {of: label, at_most: 2}`:                                                 "elements at most 2 of label: there are 8 after",
		`elements: {of: "#name", attributes: {name: other}}`:                                `elements #name: input#name has name "name" after`,
		`elements: {of: "#key", properties: {value: other}}`:                                "elements #key: input#key has value *** after",
		`elements: {of: "#name", gone: true}`:                                               "elements #name no more: that still holds after",
		`wait_until: "document.title === 'Other'"`:                                          "wait until an expression holds: it is still false after",
		`wait_until: "nothing.here"`:                                                        "it threw ReferenceError: nothing is not defined after",
		`wait_until: {script: "new Promise(() => {})", frame: [0]}`:                         "wait until an expression holds in frame 0: it is still false after",
		`tab: {url: "http://nowhere.test/*"}`:                                               "go to tab http://nowhere.test/*: there is no such tab, only " + base + "/recorded.html after",
		"click: \"#load\"\n  - arrive: {url: \"*\"}\n  - arrive: {url: \"" + base + "/*\"}": "arrive at " + base + "/*: no other page was loaded after",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, hasty(t, base, "/recorded.html", action), 60*time.Second)
			wantResult(t, r, results.Critical, results.CauseTimeout, want)
		})
	}
	r := walk(t, p, hasty(t, base, "/recorded.html", `wait_until: "a b"`), 60*time.Second)
	wantResult(t, r, results.Unknown, results.CauseInternal, "not JavaScript: SyntaxError")
}

// The assertions that the recorder's own runner leaves out fail a journey here.
func TestAssertedEvents(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for name, c := range map[string]struct{ from, to, want string }{
		"another address": {`"url": "$BASE/signed"`, `"url": "$BASE/welcome"`, "arrive at " + base + "/welcome: is at " + base + "/signed after"},
		"another title":   {`"Welcome"`, `"Thanks"`, `is titled "Welcome" after`},
		"its end":         {`"url": "$BASE/signed"`, `"url": "/signed"`, "arrive at /signed: is at " + base + "/signed after"},
		"a part of it":    {`"url": "$BASE/signed"`, `"url": "$BASE/sign"`, "is at " + base + "/signed after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := recording(t, base, "sign-up.json", c.from, strings.ReplaceAll(c.to, "$BASE", base), `"offsetX": 50`, `"offsetX": 50, "timeout": 4000`)
			r := walk(t, p, loaded(t, path), 60*time.Second)
			wantResult(t, r, results.Critical, results.CauseTimeout, "15 click \"Create account\": arrive at", c.want)
		})
	}
	path := recording(t, base, "sign-up.json", `"url": "$BASE/signed"`, `"url": "`+base+`/sig*"`, `"Welcome"`, `"W*e"`)
	wantResult(t, walk(t, p, loaded(t, path), 60*time.Second), results.OK, "")
}

// What is wrong with a recording is told with the place in it.
func TestRecordingThatCannotRun(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`"key": "Tbb"`: `sign-up.json:40:20: key: unknown key "Tbb"; did you mean "Tab"?`,
		`"key": 5`:     "sign-up.json:40:20: step 5: key: got 5, want a text in quotes",
	} {
		path := recording(t, "http://shop.test", "sign-up.json", `"key": "Tab"`, change)
		_, err := Load(path, testVars(filepath.Dir(path)), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v\nwant %s", change, err, want)
		}
	}
}

// Every key that a recording may name is known.
func TestKeysOfRecordings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/keys")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(text))
	if len(names) < 200 {
		t.Fatalf("got %d keys", len(names))
	}
	for _, name := range names {
		for _, shift := range []bool{false, true} {
			k, ok := keyNamed(name, shift)
			if !ok || k.Key == "" {
				t.Errorf("%s: not known", name)
			}
		}
	}
	for name, want := range map[string]string{"KeyA": "a A", "Digit1": "1 !", "Tab": "Tab Tab", "ShiftRight": "Shift Shift", "NumpadEnter": "Enter Enter", "q": "q q"} {
		a, _ := keyNamed(name, false)
		b, _ := keyNamed(name, true)
		if got := a.Key + " " + b.Key; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
