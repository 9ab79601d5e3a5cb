package export_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	dto "github.com/prometheus/client_model/go"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/export"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func result(check, kind string, slot time.Duration, status results.Status, cause results.Cause, took time.Duration) *results.Result {
	at := noon.Add(slot)
	return &results.Result{
		Key:  results.Key{Check: check, Location: "local", Slot: at},
		Kind: kind, Start: at, Duration: took, Status: status, Cause: cause,
		Labels: map[string]string{"team": "shop"},
	}
}

// TestGolden scrapes the whole demo through real HTTP and compares the text.
func TestGolden(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{
		Version: "1.2.3",
		Dropped: func() map[string]uint64 { return map[string]uint64{"influx": 7} },
	})
	srv := serve(t, prom)
	send(t, prom, demo())
	prom.ObserveLateness(3 * time.Millisecond)

	text := foreshockLines(t, srv.URL)
	proof.Golden(t, "testdata/demo.prom", without(text, "foreshock_build_info"))
	if problems, err := promlint.New(strings.NewReader(text)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("lint: got %v %v, want nothing to complain of", problems, err)
	}
}

// demo is what one round of the sample system sends: all statuses, a scenario, a fault.
func demo() []results.Record {
	home := result("storefront", "http", 0, results.OK, "", 40*time.Millisecond)
	home.Steps = []results.Step{{Name: "connect", Duration: 2 * time.Millisecond}, {Name: "processing", Duration: 30 * time.Millisecond}}
	fast := result("open-the-shop", "journey", 0, results.OK, "", 900*time.Millisecond)
	fast.Steps = []results.Step{{
		Name: "open http://shop/", Duration: 300 * time.Millisecond,
		Values: map[string]float64{"lcp_seconds": 0.25, "cls": 0.01, "inp_seconds": 0.08, "status_code": 200},
	}}
	mug := result("buy-a-mug", "journey", 0, results.Unknown, results.CauseBrowser, 0)
	mug.Labels = map[string]string{"team-name": "shop", "kind": "own"}
	outage := result("payments-outage", "scenario", time.Second, results.Critical, results.CauseBreaker, 30*time.Second)
	outage.Labels = nil
	outage.Steps = []results.Step{
		{Name: "verdict", Values: map[string]float64{"verdict": 1}},
		{Name: "fails-fast", Values: map[string]float64{"verdict": 0}},
		{Name: "quiet-while-open", Values: map[string]float64{"verdict": 1}},
	}
	fault := &results.Event{
		Kind: results.EventFault, Subject: "127.0.0.1:9002", Location: "local", Start: noon,
		Labels: map[string]string{"scenario": "payments-outage"},
	}
	return []results.Record{
		{Event: fault},
		{Result: home},
		{Result: fast},
		{Result: mug},
		{Result: result("payments", "tcp", 0, results.Critical, results.CauseRefused, 200*time.Microsecond)},
		{Result: outage},
	}
}

// TestUnknownIsAbsent holds that a check which could not look is neither up nor down.
func TestUnknownIsAbsent(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	srv := serve(t, prom)
	up := `foreshock_check_up{check="home",kind="http",location="local",team="shop"}`
	for i, c := range []struct {
		status results.Status
		cause  results.Cause
		want   string
	}{
		{results.OK, "", up + " 1"},
		{results.Warning, results.CauseSlow, up + " 1"},
		{results.Critical, results.CauseTimeout, up + " 0"},
		{results.Unknown, results.CauseTool, ""},
		{results.OK, "", up + " 1"},
	} {
		send(t, prom, []results.Record{{Result: result("home", "http", time.Duration(i)*time.Second, c.status, c.cause, time.Millisecond)}})
		if got := line(foreshockLines(t, srv.URL), "foreshock_check_up{"); got != c.want {
			t.Errorf("after %v: got %q, want %q", c.status, got, c.want)
		}
	}
}

// TestLate holds that an older slot counts and moves no gauge.
func TestLate(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	srv := serve(t, prom)
	elsewhere := result("home", "http", time.Second, results.OK, "", 30*time.Millisecond)
	elsewhere.Location = "far"
	send(t, prom, []results.Record{
		{Result: result("home", "http", time.Minute, results.OK, "", 20*time.Millisecond)},
		{Result: result("home", "http", time.Second, results.Critical, results.CauseTimeout, 3*time.Second)},
		{Result: elsewhere},
		{Result: result("idle", "http", 0, results.OK, "", time.Millisecond)},
		{Result: result("idle", "http", time.Hour, results.Unknown, results.CauseMissed, 0)},
	})
	text := foreshockLines(t, srv.URL)
	const id = `{check="home",kind="http",location="local",`
	for _, want := range []string{
		`foreshock_check_runs_total` + id + `status="critical",team="shop"} 1`,
		`foreshock_check_status` + id + `status="critical",team="shop"} 0`,
		`foreshock_check_status` + id + `status="ok",team="shop"} 1`,
		`foreshock_check_up` + id + `team="shop"} 1`,
		`foreshock_check_duration_seconds_count` + id + `team="shop"} 2`,
		`foreshock_check_last_run_timestamp_seconds` + id + `team="shop"} 1.77245286e+09`,
		`foreshock_check_up{check="home",kind="http",location="far",team="shop"} 1`,
		// a missed slot is no run
		`foreshock_check_last_run_timestamp_seconds{check="idle",kind="http",location="local",team="shop"} 1.7724528e+09`,
		`foreshock_check_missed_total{cause="missed",check="idle",kind="http",location="local",team="shop"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("got no line %s in\n%s", want, text)
		}
	}
}

// TestFaultAndVerdictMove holds that a healed fault falls to 0, and that a newer
// verdict takes the place of the older one.
func TestFaultAndVerdictMove(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	srv := serve(t, prom)
	records := demo()
	send(t, prom, records)
	healed := *records[0].Event
	healed.End = noon.Add(20 * time.Second)
	again := result("payments-outage", "scenario", time.Hour, results.OK, "", 30*time.Second)
	again.Steps = []results.Step{{Name: "verdict", Values: map[string]float64{"verdict": 0}}}
	send(t, prom, []results.Record{{Event: &healed}, {Result: again}})
	text := foreshockLines(t, srv.URL)
	for _, want := range []string{
		`foreshock_fault_active{scenario="payments-outage"} 0`,
		`foreshock_scenario_verdict{scenario="payments-outage",verdict="pass"} 1`,
		`foreshock_scenario_verdict{scenario="payments-outage",verdict="fail"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("got no line %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "foreshock_breaker_property{") {
		t.Errorf("properties of the older run are still there:\n%s", text)
	}
}

// TestHostileNames holds that no label can spoil the exposition of the others.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	srv := serve(t, prom)
	odd := result("a\"b\\c\n\xff日本", "http", 0, results.OK, "", time.Millisecond)
	odd.Labels = map[string]string{"": "empty", "9lives": "x", "__name__": "y", "le": "z", "team.name": "1", "team-name": "2", "über": "\xff"}
	odd.Steps = []results.Step{{Name: "st\xffep", Duration: time.Millisecond}, {Name: "nan", Values: map[string]float64{"verdict": nan()}}}
	verdict := result("s", "scenario", 0, results.OK, "", time.Second)
	verdict.Steps = []results.Step{{Name: "verdict", Values: map[string]float64{"verdict": nan()}}, {Name: "x", Values: map[string]float64{"verdict": 99}}}
	send(t, prom, []results.Record{{Result: odd}, {Result: verdict}, {Result: result("home", "http", 0, results.OK, "", time.Millisecond)}})
	text := foreshockLines(t, srv.URL)
	if !strings.Contains(text, `foreshock_check_up{check="home"`) || !strings.Contains(text, `_9lives="x"`) {
		t.Errorf("got\n%s\nwant both checks", text)
	}
}

// TestNative holds that durations are native histograms for who asks for them.
func TestNative(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	srv := serve(t, prom)
	send(t, prom, demo())
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	native := map[string]bool{}
	dec := expfmt.NewDecoder(res.Body, expfmt.ResponseFormat(res.Header))
	for {
		var f dto.MetricFamily
		if err := dec.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, m := range f.GetMetric() {
			native[f.GetName()] = native[f.GetName()] || m.GetHistogram().GetSchema() != 0 && len(m.GetHistogram().GetBucket()) > 0
		}
	}
	for _, name := range []string{"foreshock_check_duration_seconds", "foreshock_step_duration_seconds"} {
		if !native[name] {
			t.Errorf("%s: got no histogram that is native and classic", name)
		}
	}
}

// TestRaces scrapes while results come.
func TestRaces(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	srv := serve(t, prom)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			_ = prom.Send(context.Background(), demo())
		}
	}()
	for range 5 {
		foreshockLines(t, srv.URL)
	}
	<-done
}

// TestKind holds that configuration can ask for the sink, and for nothing it does not know.
func TestKind(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	kinds := export.Kinds(prom)
	for _, k := range kinds {
		if sink, err := kinds.BuildText(k.Name, k.Example); err != nil || sink == nil {
			t.Errorf("%s: got %v, want its example to build", k.Name, err)
		}
	}
	if _, err := kinds.BuildText("prometheus", "{port: 9090}"); err == nil {
		t.Error("got no error for an unknown key")
	}
}
