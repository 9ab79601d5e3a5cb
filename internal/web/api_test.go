package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/web"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/export"
)

type row struct {
	Name, Kind string
	EveryMS    int64    `json:"every_ms"`
	Avail      *float64 `json:"availability"`
	Planned    *float64 `json:"planned_availability"`
	P95        float64  `json:"p95_ms"`
	Counts     results.Counts
	Last       *struct{ Status, Cause, Message string }
}

func getJSON(t *testing.T, r rig, path string, v any) {
	t.Helper()
	res := r.get(t, path)
	if res.code != http.StatusOK || res.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: got %d %s, want 200 and JSON\n%s", path, res.code, res.header.Get("Content-Type"), res.body)
	}
	if err := json.Unmarshal([]byte(res.body), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed(t, r.store, time.Now())
	r.publish(t, results.Record{Result: &results.Result{
		Key: results.Key{Check: "by-hand", Location: "staging", Slot: time.Now()}, Kind: "http", Start: time.Now(), Duration: time.Millisecond,
	}})
	var got struct {
		Location string
		Checks   []row
	}
	getJSON(t, r, "/api/v1/checks?since=15m", &got)
	rows := map[string]row{}
	for _, c := range got.Checks {
		rows[c.Name] = c
	}
	pay := rows["payments"]
	switch {
	case got.Location != "staging" || len(got.Checks) != len(demoChecks())+1 || got.Checks[0].Name != "storefront":
		t.Errorf("got %q and %d checks, the first %q; want all that are configured, in order, and the one run by hand", got.Location, len(got.Checks), got.Checks[0].Name)
	case rows["by-hand"].Kind != "http":
		t.Errorf("a check that only the store knows: got %+v", rows["by-hand"])
	case pay.Last == nil || pay.Last.Status != "critical" || pay.Last.Cause != "refused":
		t.Errorf("payments: last run is %+v, want critical, refused", pay.Last)
	case pay.Avail == nil || *pay.Avail < 0.97 || *pay.Avail > 0.99:
		t.Errorf("payments: availability %v, want the planned fault and the unknown left out", pay.Avail)
	case pay.Planned == nil || *pay.Planned > 0.3:
		t.Errorf("payments: planned availability %v, want what the fault did", pay.Planned)
	case pay.Counts.Unknown != 3 || pay.P95 <= 0 || pay.EveryMS != 5000:
		t.Errorf("payments: got %+v, want 3 unknown, a p95, every 5000 ms", pay)
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed(t, r.store, time.Now())
	type line struct {
		Width   int64 `json:"width_ms"`
		Runs    map[string][]struct{ StartMS int64 }
		Buckets map[string][]struct{ Counts, Planned results.Counts }
		Events  []results.Event
	}
	var near, far line
	getJSON(t, r, "/api/v1/timeline?since=15m", &near)
	if n := len(near.Runs["payments"]); n != 120 {
		t.Errorf("payments: got %d runs, want 120", n)
	}
	kinds := map[string]int{}
	for _, e := range near.Events {
		kinds[e.Kind]++
	}
	if kinds[results.EventFault] != 1 || kinds[results.EventBreaker] != 3 || kinds[results.EventScenario] != 1 {
		t.Errorf("events: got %v, want a fault, a scenario and three transitions", kinds)
	}
	getJSON(t, r, "/api/v1/timeline?since=24h", &far)
	n := 0
	for _, b := range far.Buckets["payments"] {
		n += b.Counts.Total() + b.Planned.Total()
	}
	if far.Width != 300_000 || n != 120 || len(far.Runs) != 0 {
		t.Errorf("a day: got buckets of %d ms with %d runs, want 300000 and 120", far.Width, n)
	}
}

func TestResultsAndArtifact(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed(t, r.store, time.Now())
	var got struct{ Results []results.Result }
	getJSON(t, r, "/api/v1/results?check=buy-a-mug&limit=3", &got)
	if len(got.Results) != 3 || got.Results[0].Status != results.Critical || len(got.Results[0].Steps) != 3 {
		t.Fatalf("got %+v, want three runs, the newest first and with its steps", got.Results)
	}
	older := got.Results[2].Start
	var before struct{ Results []results.Result }
	getJSON(t, r, "/api/v1/results?check=buy-a-mug&limit=1&until_ms="+url.QueryEscape(jsonText(t, older.UnixMilli())), &before)
	if len(before.Results) != 1 || !before.Results[0].Start.Before(older) {
		t.Errorf("until: got %+v, want a run before %v", before.Results, older)
	}
	shot := got.Results[0].Steps[2].Artifacts[0]
	res := r.get(t, "/api/v1/artifacts/"+shot.ID)
	if res.header.Get("Content-Type") != "image/png" || !strings.HasPrefix(res.body, "\x89PNG") {
		t.Errorf("screenshot: got %s %q", res.header.Get("Content-Type"), res.body[:min(8, len(res.body))])
	}
	if csp := res.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || strings.Contains(csp, "script-src 'self'") {
		t.Errorf("screenshot: policy %q lets what a service sent act in our origin", csp)
	}
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestBadRequests holds that a wrong question is told apart, and that only reading is allowed.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, c := range []struct {
		method, path, says string
		code               int
	}{
		{"GET", "/api/v1/checks?since=yesterday", `since: got "yesterday", want 1m0s to 744h0m0s, such as 15m`, 400},
		{"GET", "/api/v1/timeline?since=9000h", `since: got "9000h"`, 400},
		{"GET", "/api/v1/results", "check: got none", 400},
		{"GET", "/api/v1/results?check=a&limit=100000", `limit: got "100000", want 1 to 200`, 400},
		{"GET", "/api/v1/artifacts/..%2f..%2fetc", "64 hexadecimal digits", 400},
		{"GET", "/api/v1/artifacts/" + strings.Repeat("ab", 32), "not kept", 404},
		{"GET", "/metrics", "not found", 404},
		{"GET", "/assets/none.js", "no such file", 404},
		{"POST", "/api/v1/checks", "", 405},
		{"DELETE", "/", "", 405},
		{"OPTIONS", "/api/v1/results", "", 405},
	} {
		res := r.ask(t, c.method, c.path, nil)
		var e struct{ Error string }
		_ = json.Unmarshal([]byte(res.body), &e)
		if res.code != c.code || !strings.Contains(e.Error+res.body, c.says) {
			t.Errorf("%s %s: got %d %s, want %d %s", c.method, c.path, res.code, res.body, c.code, c.says)
		}
		if res.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: other origins may read", c.method, c.path)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{Version: "0.1.0"})
	r := newRig(t, func(o *web.Options) { o.Metrics = prom.Handler() })
	for _, path := range []string{"/", "/metrics", "/healthz", "/api/v1/checks", "/assets/main.js", "/assets/base.css", "/nowhere"} {
		res := r.get(t, path)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if !strings.Contains(res.header.Get(name), want) {
				t.Errorf("%s: %s is %q, want %q", path, name, res.header.Get(name), want)
			}
		}
		if csp := res.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q allows inline code", path, csp)
		}
	}
	res := r.get(t, "/assets/main.js")
	again := r.ask(t, http.MethodGet, "/assets/main.js", http.Header{"If-None-Match": {res.header.Get("ETag")}})
	if again.code != http.StatusNotModified || res.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("main.js: got %d and %q, want 304 for what is unchanged, and JavaScript", again.code, res.header.Get("Content-Type"))
	}
	if body := r.get(t, "/metrics").body; !strings.Contains(body, "foreshock_build_info") {
		t.Errorf("/metrics: got\n%s", body)
	}
}

// TestHealth holds that a process whose store is gone does not call itself well.
func TestHealth(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if res := r.get(t, "/healthz"); res.code != http.StatusOK {
		t.Errorf("got %d, want 200", res.code)
	}
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	res := r.get(t, "/healthz")
	if res.code != http.StatusServiceUnavailable || strings.Contains(res.body, "foreshock.db") {
		t.Errorf("store closed: got %d %s, want 503 and no file names", res.code, res.body)
	}
}
