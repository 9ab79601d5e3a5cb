package journeys

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/foreshock/foreshock/results"
)

// hunted are what the page of evidence.html and the journey hold that nobody may see.
var hunted = []string{
	"top-secret-value", `a&"b"`, "a&amp;", "hunter22", "meta-csrf-value", "inline-script-token", "query-token-value",
	"header-token-value", "api-key-value", "hidden-field-token", "link-session-value", "cookie-session-value",
	"response-body-text", "sent-cookie-value",
}

// failing walks evidence.html to a button that is not there.
func failing(t *testing.T, p *Pool, e Evidence) results.Result {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("known", "top-secret-value")
	file("odd", `<b>a&"b"</b>`)
	path := file("journey.yaml", `
vars: {base: "`+serve(t)+`", known: "${file:known}", odd: "${file:odd}"}
steps:
- step: basket
  do:
  - cookie: {name: consent, value: sent-cookie-value, url: "${base}"}
  - open: ${base}/evidence.html?token=${known}
  - wait_for: body[data-moved=yes]
  - type: {into: "#secret", text: hunter22}
  - click: "#later"
  - see: in the shadow
- step: pay
  timeout: 700ms
  do: [{click: {role: button, name: Pay now}}]
`)
	j, err := Load(path, testVars(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	for tries := 1; ; tries++ {
		rec := results.NewRecorder()
		c := NewCheck(j, p)
		c.evidence = e
		r := rec.Finish(c.Run(t.Context(), rec))
		// On a busy machine the page may not come to answering at all.
		if tries == 5 || strings.Contains(r.Message, "pay: click") && !strings.Contains(r.Message, "the page did not answer") {
			return r
		}
	}
}

func TestEvidenceOfFailure(t *testing.T) {
	p := warm(t)
	t.Parallel()
	r := failing(t, p, EvidenceOnFailure)
	wantResult(t, r, results.Critical, results.CauseTimeout,
		`pay: click button "Pay now": no such button of that name after `,
		`; there are: link "Pay now (new)", button "Pay later"`, "\npage http://",
		`/evidence.html?... answered 200, titled "Evidence", says "The basket`,
		"\n1 request failed: GET /api/cart 500; the console has an error: Error: cart broke: ***")
	if n := strings.Count(r.Message, "\n"); n > 2 {
		t.Errorf("the message has %d lines, want at most 3:\n%s", n+1, r.Message)
	}
	wantPicture(t, artifact(t, r, "pay", "failure"))
	wantConsole(t, artifact(t, r, "pay", "console.json"))
	page := string(artifact(t, r, "pay", "page.html").Data)
	for _, want := range []string{"<h1", "in the shadow", `shadowrootmode="open"`, "default-src 'none'", "session=***&amp;x=1", `name="authenticity_token" value="***"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	for _, never := range []string{"http-equiv=\"refresh\"", "onclick", "alertless"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q, which acts when it is opened", never)
		}
	}
	for _, s := range r.Steps {
		for _, a := range s.Artifacts {
			for _, secret := range hunted {
				if bytes.Contains(a.Data, []byte(secret)) {
					t.Errorf("%s has %q:\n%s", a.Name, secret, a.Data)
				}
			}
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range hunted {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the result has %q:\n%s", secret, text)
		}
	}
}

func wantConsole(t *testing.T, a results.Artifact) {
	t.Helper()
	var lines []consoleLine
	if err := json.Unmarshal(a.Data, &lines); err != nil {
		t.Fatalf("%v:\n%s", err, a.Data)
	}
	seen := map[string]consoleLine{}
	for _, l := range lines {
		seen[l.Level+" "+strings.SplitN(l.Text, "\n", 2)[0]] = l
	}
	thrown := seen["error Uncaught Error: cart broke: ***"]
	if !strings.HasSuffix(thrown.Source, "/evidence.html?token=***") || thrown.Line != 12 || thrown.Column == 0 || thrown.AtMS <= 0 {
		t.Errorf("got %+v of what the page threw, want its time and place among\n%s", thrown, a.Data)
	}
	for _, want := range []string{"log loaded with ***", "warning slow basket"} {
		if _, ok := seen[want]; !ok {
			t.Errorf("no %q among\n%s", want, a.Data)
		}
	}
}

func TestVitals(t *testing.T) {
	p := warm(t)
	t.Parallel()
	r := failing(t, p, EvidenceNever)
	var opened results.Step
	for _, s := range r.Steps {
		if strings.HasPrefix(s.Name, "open ") {
			opened = s
		}
		if len(s.Artifacts) > 0 {
			t.Errorf("step %s has evidence, want none", s.Name)
		}
	}
	v := opened.Values
	for _, name := range []string{"lcp_seconds", "fcp_seconds", "inp_seconds", "ttfb_seconds", "processing_seconds", "transfer_seconds", "dom_content_loaded_seconds", "load_seconds"} {
		if v[name] <= 0 || v[name] > 60 {
			t.Errorf("got %s %v, want the seconds of it; all: %v", name, v[name], v)
		}
	}
	if v["lcp_seconds"] < v["fcp_seconds"] || v["load_seconds"] < v["dom_content_loaded_seconds"] || v["fcp_seconds"] < v["ttfb_seconds"] {
		t.Errorf("got an order of moments that cannot be: %v", v)
	}
	// The click keeps the page busy for 80 ms.
	if v["inp_seconds"] < 0.08 {
		t.Errorf("got INP %v, want at least 0.08", v["inp_seconds"])
	}
	// The text below the heading, of 1280x800 some part, moves by 200 px of 800.
	if v["cls"] < 0.005 || v["cls"] > 0.25 {
		t.Errorf("got CLS %v, want one shift", v["cls"])
	}
}

func TestEvidenceAlways(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	j := one(t, base, "/", "see: Mugs")
	for _, e := range []Evidence{EvidenceAlways, EvidenceOnFailure} {
		c := NewCheck(j, p)
		c.evidence = e
		rec := results.NewRecorder()
		r := rec.Finish(c.Run(t.Context(), rec))
		wantResult(t, r, results.OK, "")
		if n := len(stepNamed(t, r, "only").Artifacts); (n > 0) != (e == EvidenceAlways) {
			t.Errorf("%s: got %d pieces of a run that went well", e, n)
		}
		if e == EvidenceAlways {
			wantPicture(t, artifact(t, r, "only", "end"))
		}
	}
}

func TestEvidenceOfASlowStep(t *testing.T) {
	p := warm(t)
	t.Parallel()
	j := write(t, serve(t), "steps:\n- {step: slow, critical: 200ms, do: [{open: \"${base}/slow\"}]}\n- {step: after, do: [{see: here}]}\n")
	r := walk(t, p, j, 20*time.Second)
	wantResult(t, r, results.Critical, results.CauseSlow)
	artifact(t, r, "slow", "network.har")
}

func TestEvidenceSetting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "j.yaml"), []byte("steps: [{step: a, do: [{open: \"http://127.0.0.1/\"}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kinds := Kinds(nil, dir, testVars(dir))
	for text, want := range map[string]Evidence{
		"file: j.yaml": EvidenceOnFailure, "{file: j.yaml, evidence: always}": EvidenceAlways, "{file: j.yaml, evidence: never}": EvidenceNever,
	} {
		c, err := kinds.BuildText("journey", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.(*Check).evidence; got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	_, err := kinds.BuildText("journey", "{file: j.yaml, evidence: on-failures}")
	if err == nil || !strings.Contains(err.Error(), `evidence: unknown time to keep evidence "on-failures"; did you mean "on-failure"? Known: on-failure, always, never`) {
		t.Errorf("got %v, want what is known", err)
	}
}

// A run that has time has frames, and one that has not has none.
func TestFilm(t *testing.T) {
	p := warm(t)
	t.Parallel()
	page, err := p.page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer page.close()
	for tries := 0; tries < 20 && len(page.film.frames) == 0; tries++ { // a busy machine may not draw in time
		page.shoot(t.Context(), nil, time.Hour)
	}
	if len(page.film.frames) != 1 {
		t.Fatalf("got %d frames, want one", len(page.film.frames))
	}
	if _, err := jpeg.Decode(bytes.NewReader(page.film.frames[0].data)); err != nil {
		t.Error(err)
	}
	page.shoot(t.Context(), nil, page.film.spent)
	if len(page.film.frames) != 1 {
		t.Error("a frame was shot for which there was no time")
	}
}

// What is too much is left out, the least of use first, and it is said.
func TestEvidenceIsBounded(t *testing.T) {
	p := warm(t)
	t.Parallel()
	ctx := t.Context()
	page, err := p.page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer page.close()
	rec := results.NewRecorder()
	err = rec.Step(ctx, "open", func(_ context.Context, span *results.Span) error {
		for range 3 * framesKept {
			page.film.add(still{span, bytes.Repeat([]byte("frame"), 100<<10)})
		}
		for range linesKept + 7 {
			page.watch.console.add(0, consoleLine{Level: "log", Text: strings.Repeat("x", 5000)})
		}
		for i := range requestsKept + 9 {
			page.watch.requests.event(&network.EventRequestWillBeSent{
				RequestID: network.RequestID(fmt.Sprint(i)), WallTime: cdp.TimeSinceEpoch(time.Now().Unix()), Request: &network.Request{URL: "http://shop.test/" + strings.Repeat("y", 2000), Method: "GET"},
			})
		}
		page.keep(ctx, span, "failure")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	whole := rec.Finish(nil)
	if n := whole.Size(); n > evidenceKept+1000 || n < evidenceKept/2 {
		t.Errorf("got %d bytes, want at most %d and most of it used", n, evidenceKept)
	}
	notes := string(artifact(t, whole, "open", "left-out.txt").Data)
	for _, want := range []string{"film: the first 5", "console.json: the first 7 lines", "network.har: the first "} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q do not say %q", notes, want)
		}
	}
	wantPicture(t, artifact(t, whole, "open", "failure"))
	wantHAR(t, artifact(t, whole, "open", "network.har").Data)
}
