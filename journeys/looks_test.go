package journeys

import (
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestSeeAndWaitFor(t *testing.T) {
	p := warm(t)
	t.Parallel()
	j := one(t, serve(t), "/looks.html",
		`see: {title: Looks good}`,
		`see: {url: looks.html}`,
		`see: {count: 2, of: li}`,
		`see: {count: 0, of: {text: Nobody}}`,
		`see: {value: Ada, in: "#field"}`,
		`see: {attribute: href, value: "/to?token=1", in: "#link"}`,
		`see: {console: clean}`,
		`wait_for: {visible: "#spinner"}`,
		`click: "#load"`,
		`wait_for: {gone: {text: Loading}}`,
		`wait_for: {enabled: "#go"}`,
		`wait_for: {url: "state=paid"}`,
		`wait_for: {gone: {text: x, in: "#spinner"}}`,
		`click: "#go"`,
		`see: {title: Gone}`,
	)
	wantResult(t, walk(t, p, j, ample), results.OK, "")
}

func TestResponses(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	wantResult(t, walk(t, p, one(t, base, "/looks.html",
		`wait_for: {response: /looks.html}`,
		`click: "#load"`, `wait_for: {response: {url: /slow, method: get, status: 200}}`, `see: said loaded`, `wait_for: {response: /slow}`,
		`evaluate: "fetch('/503', {method: 'POST'})"`, `wait_for: {response: {url: /503, method: POST, status: 503}}`,
	), ample), results.OK, "")
	for actions, want := range map[[2]string]string{
		{`evaluate: "fetch('/503', {method: 'POST'})"`, `wait_for: {response: {url: /503, status: 200}}`}: "wait for response of /503 with 200: the response has 503 after ",
		{`evaluate: fetch('/reset').catch(() => {})`, `wait_for: {response: /reset}`}:                     "wait for response of /reset: the request failed with net::ERR_EMPTY_RESPONSE after",
		{`evaluate: fetch('/slow')`, `wait_for: {response: {url: /slow, method: POST}}`}:                  "wait for response of POST /slow: no such request, the last ones were GET /slow (200) after",
		{`evaluate: "1"`, `wait_for: {response: /looks.html}`}:                                            "wait for response of /looks.html: no request has had a response since the last action after",
	} {
		r := walk(t, p, hasty(t, base, "/looks.html", actions[0], actions[1]), ample)
		wantResult(t, r, results.Critical, results.CauseTimeout, want)
	}
}

func TestNetworkIdle(t *testing.T) {
	p := warm(t)
	t.Parallel()
	// Two requests of 250ms, one after the other: a wait for an idle moment would end too early.
	j := one(t, serve(t), "/looks.html", `click: "#load"`, `wait_for: {network: idle}`, `see: said loaded`)
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	click, idle := stepNamed(t, r, "click #load"), stepNamed(t, r, "wait for network idle")
	if took := idle.Offset + idle.Duration - click.Offset; took < 500*time.Millisecond+quiet {
		t.Errorf("took %v from the click on, want at least the two answers and the quiet after them", took)
	}
}

func TestWhatIsNotSeen(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for action, want := range map[string]string{
		`see: {title: Bad}`:                            `see title "Bad": is titled "Looks good" after`,
		`see: {url: "/thanks?x=1"}`:                    `see url "/thanks?...": is at ` + base + `/looks.html after`,
		`see: {count: 3, of: li}`:                      `see 3 of li: there are 2 after`,
		`see: {value: Bob, in: "#field"}`:              `see value "Bob" in #field: has "Ada" after`,
		`see: {value: Bob, in: "#secret"}`:             `has "***" after`,
		`see: {value: x, attribute: rel, in: "#link"}`: `see rel "x" in #link: a#link has no attribute rel after`,
		`wait_for: {gone: "#spinner"}`:                 `wait for #spinner to be gone: still there after`,
		`wait_for: {enabled: "#go"}`:                   `wait for #go to be enabled: disabled after`,
		`wait_for: {network: idle}`:                    `wait for network idle: requests under way: 1, such as ` + base + `/hang after`,
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			before := []string{`see: Link`}
			if strings.Contains(action, "idle") {
				before = []string{`click: "#hang"`}
			}
			r := walk(t, p, hasty(t, base, "/looks.html", append(before, action)...), ample)
			wantResult(t, r, results.Critical, results.CauseTimeout, want)
		})
	}
	j := one(t, base, "/looks.html", `click: "#fail"`, `wait_for: {network: idle}`, `see: {console: clean}`)
	wantResult(t, walk(t, p, j, ample), results.Critical, results.CauseAnswer,
		"see a clean console: the console has 2 errors, first: it broke 7")
}

// A page whose scripts keep it busy says what is wrong as soon as it can. One that never
// can hangs: of it nothing can be told, and that is said.
func TestBusyPage(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	r := walk(t, p, hasty(t, base, "/busy.html?1800", `click: "#none"`), ample)
	wantResult(t, r, results.Critical, results.CauseTimeout, "click #none: no such element after ")
	r = walk(t, p, hasty(t, base, "/busy.html?60000", `click: "#none"`), ample)
	wantResult(t, r, results.Unknown, results.CauseBrowser, "click #none: the page hangs: its process did not answer for ")
}
