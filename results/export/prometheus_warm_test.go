package export_test

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/export"
	"github.com/foreshock/foreshock/results/sqlite"
)

// history is what a store holds at a restart: a check whose last slot was missed, one
// that is no longer configured, a scenario that somebody ran by hand, and two faults of
// which one is still armed by another process.
func history() []results.Record {
	since := time.Since(noon).Truncate(time.Second)
	at := func(check, kind string, ago time.Duration, status results.Status, cause results.Cause) results.Record {
		return results.Record{Result: result(check, kind, since-ago, status, cause, time.Second)}
	}
	outage := at("payments-outage", "scenario", time.Hour, results.Critical, results.CauseBreaker)
	outage.Result.Steps = []results.Step{
		{Name: "verdict", Values: map[string]float64{"verdict": 1}},
		{Name: "fails-fast", Values: map[string]float64{"verdict": 0}},
	}
	event := func(kind, subject string, ended bool) results.Record {
		e := &results.Event{Kind: kind, Subject: subject, Location: "local", Start: noon.Add(since - time.Hour), Labels: map[string]string{"scenario": subject}}
		if ended {
			e.End = e.Start.Add(time.Minute)
		}
		return results.Record{Event: e}
	}
	return []results.Record{
		at("home", "http", 3*time.Minute, results.OK, ""),
		at("home", "http", 2*time.Minute, results.Critical, results.CauseTimeout),
		at("home", "http", time.Minute, results.Unknown, results.CauseMissed),
		at("api", "http", time.Minute, results.Warning, results.CauseSlow),
		at("gone", "http", time.Minute, results.OK, ""),
		event(results.EventScenario, "payments-outage", true),
		outage,
		event(results.EventFault, "payments-outage", true),
		event(results.EventFault, "catalog-outage", false),
	}
}

// TestWarm holds that a restart changes no gauge, and that nothing is counted twice.
func TestWarm(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "f.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	recs := history()
	if _, err := store.Append(t.Context(), recs); err != nil {
		t.Fatal(err)
	}
	before, after := export.NewPrometheus(export.PrometheusOptions{}), export.NewPrometheus(export.PrometheusOptions{})
	send(t, before, slices.DeleteFunc(slices.Clone(recs), func(r results.Record) bool { return r.Result != nil && r.Result.Check == "gone" }))
	if err := after.Warm(t.Context(), store, []string{"home", "api", "new"}); err != nil {
		t.Fatal(err)
	}
	want, got := serve(t, before).URL, serve(t, after).URL
	if got, want := gauges(foreshockLines(t, got)), gauges(foreshockLines(t, want)); got != want || !strings.Contains(got, "verdict") {
		t.Errorf("gauges after a restart:\n%s\nwant those from before:\n%s", got, want)
	}
	const runs = `foreshock_check_runs_total{check="home",kind="http",location="local",status="critical",team="shop"} `
	if text := foreshockLines(t, got); !strings.Contains(text, runs+"0\n") {
		t.Errorf("got no line %s0 in\n%s", runs, text)
	}
	// Another process stored this one while we were down: its cursor is ours.
	send(t, after, recs[1:2])
	text := foreshockLines(t, got)
	for _, want := range []string{runs + "1\n", `foreshock_check_status{check="home",kind="http",location="local",status="unknown",team="shop"} 1` + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no line %s in\n%s", want, text)
		}
	}
}

// gauges are the lines of an exposition that are no counters and no histograms.
func gauges(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		if !strings.Contains(l, "_total{") && !strings.Contains(l, "_seconds_") && !strings.HasPrefix(l, "#") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// A store that cannot be read leaves the metrics usable, and says why they are empty.
func TestWarmOfABrokenStore(t *testing.T) {
	t.Parallel()
	prom := export.NewPrometheus(export.PrometheusOptions{})
	if err := prom.Warm(t.Context(), broken{}, []string{"home"}); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want why", err)
	}
	send(t, prom, demo())
	if text := foreshockLines(t, serve(t, prom).URL); !strings.Contains(text, "foreshock_check_up{") {
		t.Errorf("got\n%s", text)
	}
}

var errBroken = errors.New("the file is damaged")

type broken struct{ results.Store }

func (broken) Events(context.Context, results.Query) iter.Seq2[results.Event, error] {
	return func(yield func(results.Event, error) bool) { yield(results.Event{}, errBroken) }
}

func (broken) Select(context.Context, results.Query) iter.Seq2[results.Result, error] {
	return func(yield func(results.Result, error) bool) { yield(results.Result{}, errBroken) }
}
