package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/web"
	"github.com/foreshock/foreshock/results"
)

// watchErrors collects what the page's own code throws.
func (p page) watchErrors(t *testing.T) {
	t.Helper()
	if err := chromedp.Listen(p.ctx, func(ev any) {
		if e, ok := ev.(*runtime.EventExceptionThrown); ok {
			t.Errorf("the page threw: %s", jsonText(t, e.ExceptionDetails))
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// TestPage draws the demo in a real browser, and lets a result come in.
func TestPage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed(t, r.store, time.Now())
	p := newPage(t)
	p.watchErrors(t)
	p.dress(t, 1400, 1000, "light")
	p.open(t, r.srv.URL)

	for what, expression := range map[string]string{
		"a row for each check":             `document.querySelectorAll(".row-check").length === 7`,
		"the overall state":                `document.querySelector("#overall").innerText.includes("3 critical")`,
		"unknown apart from availability":  `document.querySelector("[data-check=payments] .apart").innerText === "planned 0 % · 3 unknown"`,
		"cause and message":                `document.querySelector("[data-check=payments] .says").innerText.startsWith("critical · refused — dial tcp")`,
		"something drawn in every row":     `[...document.querySelectorAll(".row canvas")].every(c => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some(v => v))`,
		"the verdict, big":                 `document.querySelector("[data-scenario] .sum .verdict").innerText === "fail"`,
		"a property with its figures":      `document.querySelector("[data-property=quiet-while-open] .seen").innerText === "4 attempts in 24 s"`,
		"no sideways scrolling at 1400 px": `document.documentElement.scrollWidth <= 1400`,
	} {
		if !eval[bool](t, p, expression) {
			t.Errorf("%s: not so: %s", what, expression)
		}
	}

	eval[any](t, p, `window.same = true; 0`)
	top := eval[float64](t, p, `document.querySelector("#scenarios").getBoundingClientRect().top`)
	r.publish(t, oneResult("catalog", "catalog said 500", results.Critical))
	p.until(t, `document.querySelector("[data-check=catalog]").dataset.status === "critical"`)
	p.until(t, `document.querySelector("#overall").innerText.includes("4 critical")`)
	now := time.Now().UTC()
	r.publish(t, results.Record{Event: &results.Event{Kind: results.EventFault, Subject: "127.0.0.1:9002", Location: "staging", Start: now, Labels: map[string]string{"scenario": "live-one"}}})
	p.until(t, `document.querySelector("#fault").innerText === "planned fault: live-one"`)
	if !eval[bool](t, p, `window.same === true`) {
		t.Error("the page was loaded again for a live result")
	}
	if got := eval[float64](t, p, `document.querySelector("#scenarios").getBoundingClientRect().top`); got != top {
		t.Errorf("the page jumped by %v px when a result came in", got-top)
	}

	p.dress(t, 1000, 1000, "dark")
	if !eval[bool](t, p, `document.documentElement.scrollWidth <= 1000`) {
		t.Error("the page scrolls sideways at 1000 px")
	}
}

// TestDetail opens a check and finds its steps, its error and its screenshot.
func TestDetail(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed(t, r.store, time.Now())
	p := newPage(t)
	p.watchErrors(t)
	p.open(t, r.srv.URL)
	eval[any](t, p, `document.querySelector("[data-check=buy-a-mug] .who").click()`)
	p.until(t, `document.querySelectorAll("#detail .steps li").length === 3`)
	p.until(t, `document.querySelector("#detail .shot img")?.naturalWidth === 800`)
	if got := eval[string](t, p, `document.querySelector("#detail .said").innerText`); !strings.Contains(got, "critical · timeout") || !strings.Contains(got, "We cannot take your payment") {
		t.Errorf("the error: got %q", got)
	}
	if n := eval[int](t, p, `document.querySelectorAll("#detail .runs tbody tr").length`); n != 20 {
		t.Errorf("runs: got %d, want 20", n)
	}
	eval[any](t, p, `document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}))`)
	p.until(t, `document.querySelector("#detail").hidden`)
}

// TestEmpty holds that a page without checks says what to do.
func TestEmpty(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *web.Options) { o.Checks = nil })
	p := newPage(t)
	p.watchErrors(t)
	p.open(t, r.srv.URL)
	p.until(t, `document.querySelector(".empty")?.innerText.includes("foreshock serve -c foreshock.yaml")`)
	r.publish(t, oneResult("first", "", results.OK))
	p.until(t, `document.querySelectorAll("[data-check=first]").length === 1 && !document.querySelector(".empty")`)
}

// TestHostile puts markup wherever text of a checked service can get, stored and
// live, and holds that none of it becomes more than text.
func TestHostile(t *testing.T) {
	t.Parallel()
	const evil = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"'&`
	r := newRig(t, func(o *web.Options) {
		o.Title, o.Checks = evil, []web.CheckInfo{{Name: "home", Kind: "http", Labels: map[string]string{evil: evil}}}
	})
	report, err := json.Marshal(map[string]any{
		"scenario": evil, "verdict": evil, "reason": evil, "duration_ms": 5,
		"properties": []any{map[string]any{"id": evil, "verdict": "fail", "expected": evil, "observed": map[string]any{evil: 1}, "detail": evil}},
		"faults":     []any{map[string]any{"kind": evil, "to": evil, "healed_by": evil, "healed_ms": 4}},
		"phases":     []any{map[string]any{"name": evil, "from_ms": 0, "to_ms": 5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	bad := oneResult("home", evil, results.Critical)
	bad.Result.Steps = []results.Step{{Name: evil, Error: evil, Status: results.Critical, Values: map[string]float64{evil: 1}, Artifacts: []results.Artifact{artifact(evil, "text/html", []byte(evil))}}}
	sc := oneResult(evil, evil, results.Critical)
	sc.Result.Kind = "scenario"
	sc.Result.Steps = []results.Step{{Name: "verdict", Values: map[string]float64{"verdict": 1}, Artifacts: []results.Artifact{artifact("report.json", "application/json", report)}}}
	event := results.Event{Kind: results.EventFault, Subject: evil, Location: evil, Start: time.Now().UTC(), Text: evil, Labels: map[string]string{"scenario": evil}}
	breaker := results.Event{Kind: results.EventBreaker, Subject: evil, Location: evil, Start: time.Now().UTC(), Labels: map[string]string{"from": evil, "to": evil}}
	r.publish(t, bad, sc, results.Record{Event: &event}, results.Record{Event: &breaker})

	p := newPage(t)
	p.watchErrors(t)
	p.open(t, r.srv.URL+"/#check=home")
	p.until(t, `document.querySelector("#detail .steps li") !== null && document.querySelector("[data-scenario] .props li:nth-child(2)") !== null`)
	live := oneResult("home", "live "+evil, results.Critical)
	r.publish(t, live)
	p.until(t, `document.querySelector("[data-check=home] .says").innerText.includes("live <img")`)
	eval[any](t, p, `{const c = document.querySelector("[data-check=home] canvas"), b = c.getBoundingClientRect();
		c.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: b.right - 8, clientY: b.top + 30}))}`)
	p.until(t, `document.querySelector("#tip").innerText.includes("<script>")`)

	if eval[bool](t, p, `"hacked" in window`) {
		t.Error("text of a checked service ran as code")
	}
	if n := eval[int](t, p, `document.querySelectorAll("img[src=x], main script, aside script, #tip script").length`); n != 0 {
		t.Errorf("%d elements were made from the text of a checked service", n)
	}
	p.do(t, chromedp.Navigate(r.srv.URL+"/api/v1/artifacts/"+bad.Result.Steps[0].Artifacts[0].ID))
	if eval[bool](t, p, `"hacked" in window`) {
		t.Error("an artifact's script ran")
	}
}

func artifact(name, mediaType string, data []byte) results.Artifact {
	sum := sha256.Sum256(data)
	return results.Artifact{ID: hex.EncodeToString(sum[:]), Name: name, MediaType: mediaType, Data: data}
}
