package journeys

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

const order = `
steps:
- step: shop
  warning: 5s
  do:
    - open: ${base}/
    - see: "12 euro each"
    - click: "#buy"
- step: fill in
  critical: 8s
  do:
    - type: {into: "#name", text: Ada}
    - type: {into: "#secret", text: hunter22}
    - type: {into: "#note", text: "für immer €"}
    - type: {into: "#day", text: "2031-02-03"}
    - select: {in: "#qty", value: "2"}
    - screenshot: filled
- step: pay
  do:
    - click: {text: Place order}
    - wait_for: h1
    - see: Order placed
    - see: {text: "Ada, 2, 2031-02-03, für immer €", in: p}
`

func TestJourneyHappyPath(t *testing.T) {
	p := warm(t)
	t.Parallel()
	r := walk(t, p, write(t, serve(t), order), ample)
	wantResult(t, r, results.OK, "")
	wantParents(t, r)
	filled := stepNamed(t, r, "screenshot filled")
	if len(filled.Artifacts) != 1 || filled.Artifacts[0].Name != "filled" {
		t.Fatalf("got artifacts %v, want the picture", filled.Artifacts)
	}
	wantPicture(t, filled.Artifacts[0])
	if s := stepNamed(t, r, "shop"); s.Warning != 5*time.Second || s.Critical != 0 {
		t.Errorf("got limits %v and %v, want the file's", s.Warning, s.Critical)
	}
	for _, s := range r.Steps {
		if strings.Contains(s.Name, "hunter22") {
			t.Errorf("step %q names what was typed", s.Name)
		}
	}
}

func wantParents(t *testing.T, r results.Result) {
	t.Helper()
	fill := 0
	for i, s := range r.Steps {
		if s.Name == "fill in" {
			fill = i + 1
		}
	}
	if got := stepNamed(t, r, "type into #name").Parent; got != fill || fill == 0 {
		t.Errorf("got parent %d of the typing, want %d", got, fill)
	}
	if got := stepNamed(t, r, "pay").Parent; got != 0 {
		t.Errorf("got parent %d of a named step, want none", got)
	}
}

func wantPicture(t *testing.T, a results.Artifact) {
	t.Helper()
	if a.MediaType != "image/png" {
		t.Errorf("got media type %q, want image/png", a.MediaType)
	}
	img, err := png.Decode(bytes.NewReader(a.Data))
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X < 1000 || s.Y < 600 {
		t.Errorf("got a picture of %v, want a desktop's", s)
	}
}

func TestMissingElement(t *testing.T) {
	p := warm(t)
	t.Parallel()
	r := walk(t, p, write(t, serve(t), `
steps:
- step: shop
  do: [{open: "${base}/form.html?token=abc"}]
- step: pay
  timeout: 3s
  do:
    - screenshot: before
    - click: "#place-ordr"
- step: look
  warning: 1s
  do: [{see: Order placed}]
`), 10*time.Second)
	wantResult(t, r, results.Critical, results.CauseTimeout,
		`pay: click #place-ordr: no such element after `, `did you mean "#place-order"?`,
		`/form.html?... answered 200, titled "Checkout", says "Your name`)
	failed := stepNamed(t, r, "pay")
	wantPicture(t, artifact(t, r, "pay", "failure"))
	if failed.Status != results.Critical || stepNamed(t, r, "shop").Status != results.OK {
		t.Error("want the failing step critical and the one before it ok")
	}
	if s := stepNamed(t, r, "look"); s.Error != "not reached" || s.Status != results.Unknown || s.Warning != time.Second {
		t.Errorf("got %+v of the last step, want it recorded as not reached", s)
	}
}

func TestWhatThePageDoesNotAllow(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for _, c := range []struct{ path, action, want string }{
		{"/states.html", `click: "#hidden"`, "click #hidden: not visible after"},
		{"/states.html", `click: "#dead"`, "click #dead: disabled after"},
		{"/states.html?over", `click: "#under"`, "click #under: covered by div#over after"},
		{"/states.html", `click: {text: Lesz}`, `; did you mean "Less"?`},
		{"/states.html", `wait_for: {testid: place}`, `wait for testid "place": no such element`},
		{"/states.html", `see: Order placed`, `see "Order placed": not on the page after `},
		{"/states.html", `see: {text: Hidden, in: "#more"}`, `see "Hidden" in #more: not on the page`},
		{"/form.html", `type: {into: "#fixed", text: a}`, "type into #fixed: read-only"},
		{"/form.html", `type: {into: "#place-order", text: a}`, "is button#place-order, want a field"},
		{"/form.html", `select: {in: "#qty", value: "9"}`, "select in #qty: has no such option, only: one, two after"},
		{"/form.html", `select: {in: "#name", value: "9"}`, "is input#name, want a select"},
		{"/form.html", `type: {into: {label: Your nam}, text: a}`, `did you mean "Your name"?`},
		{"/to-dead", `click: "#hang"`, "/hang after "},
	} {
		t.Run(c.action, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, hasty(t, base, c.path, c.action), ample)
			wantResult(t, r, results.Critical, results.CauseTimeout, c.want)
		})
	}
}

func TestWhatThePageAllows(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	var steps strings.Builder // one tab for all of them: opening one costs more than they do
	for name, c := range map[string]struct {
		path    string
		actions []string
	}{
		"scrolls":             {"/states.html", []string{`click: "#far"`, `see: said far`}},
		"answers boxes":       {"/states.html", []string{`click: "#boxes"`, `see: said confirmed`}},
		"appears late":        {"/states.html", []string{`wait_for: "#late"`}},
		"stays on 204":        {"/states.html", []string{`click: "#nothing"`, `click: "#under"`, `see: said under`}},
		"stays on download":   {"/states.html", []string{`click: "#file"`, `click: "#under"`, `see: said under`}},
		"stays on mail":       {"/states.html", []string{`click: "#mail"`, `click: "#under"`, `see: said under`}},
		"stays when stopped":  {"/states.html", []string{`click: "#back"`, `click: "#under"`, `see: said under`}},
		"stays on script":     {"/states.html", []string{`click: "#script"`, `click: "#under"`, `see: said under`}},
		"moves in the page":   {"/states.html", []string{`click: "#top"`, `click: "#under"`, `see: said under`}},
		"by label":            {"/form.html", []string{`type: {into: {label: Your name}, text: Grace}`, `click: {testid: place}`, `see: "Grace, 1"`}},
		"clears a field":      {"/form.html", []string{`type: {into: "#name", text: ""}`, `click: "#place-order"`, `see: {text: ", 1, ,", in: p}`}},
		"sends by return":     {"/form.html", []string{`type: {into: "#name", text: "Mary\n"}`, `see: "Mary, 1"`}},
		"edits free text":     {"/form.html", []string{`type: {into: "#free", text: "brand new"}`, `see: {text: brand new, in: "#free"}`}},
		"option by its text":  {"/form.html", []string{`select: {in: "#qty", value: two}`, `click: "#place-order"`, `see: "old, 2"`}},
		"not on the old page": {"/twin.html", []string{`click: "#go"`, `click: "#go"`, `see: Order placed`}},
		"on the new page":     {"/", []string{`click: "#form-link"`, `see: {text: Your name, in: body}`}},
	} {
		fmt.Fprintf(&steps, "- step: %s\n  do:\n  - open: ${base}%s\n  - %s\n", name, c.path, strings.Join(c.actions, "\n  - "))
	}
	j := write(t, base, "steps:\n"+steps.String())
	wantResult(t, walk(t, p, j, ample), results.OK, "")
}

func TestClickWaitsForAMover(t *testing.T) {
	p := warm(t)
	t.Parallel()
	j := write(t, serve(t), `steps: [{step: only, do: [{open: "${base}/states.html?go"}, {click: "#mover"}, {see: said mover}]}]`)
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	if took := stepNamed(t, r, "click #mover").Duration; took < 500*time.Millisecond {
		t.Errorf("clicked after %v, want it to wait until the button is still, which takes 2s", took)
	}
}

func TestRunsDoNotShareCookies(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for range 2 {
		wantResult(t, walk(t, p, one(t, base, "/cookie", "see: 'first visit: true'"), ample), results.OK, "")
	}
	j := one(t, base, "/cookie", "open: ${base}/cookie", "see: 'first visit: false'")
	wantResult(t, walk(t, p, j, ample), results.OK, "")
}

func TestSecretsStayOut(t *testing.T) {
	p := warm(t)
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("hunter22"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := hasty(t, serve(t), "/form.html", `type: {into: "#name", text: "${file:`+key+`}"}`, `click: "#place-order"`, "see: nothing")
	r := walk(t, p, j, ample)
	wantResult(t, r, results.Critical, results.CauseTimeout, `says "Order placed ***, 1`)
	for _, s := range r.Steps {
		if strings.Contains(s.Name+s.Error, "hunter22") {
			t.Errorf("step %q: %s: the page's echo of the secret is shown", s.Name, s.Error)
		}
	}
}

func TestSlowStep(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for limits, want := range map[string]results.Status{
		"warning: 50ms, critical: 50s":  results.Warning,
		"warning: 50ms, critical: 60ms": results.Critical,
	} {
		j := write(t, base, "steps:\n- {step: slow, "+limits+", do: [{open: \"${base}/slow\"}]}\n- {step: after, do: [{see: here at last}]}\n")
		r := walk(t, p, j, ample)
		wantResult(t, r, want, results.CauseSlow, "slow: took ", ", want at most ")
		if s := stepNamed(t, r, "slow"); s.Status != want || s.Cause != results.CauseSlow {
			t.Errorf("got %v (%s) of the step, want %v (slow)", s.Status, s.Cause, want)
		}
		if s := stepNamed(t, r, "after"); s.Status != results.OK {
			t.Errorf("got %v of the step after the slow one, want it run", s.Status)
		}
	}
}
