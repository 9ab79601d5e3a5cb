package scenarios_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

var errBroken = errors.New("broken")

// TestInsideChecks: what the named checks see meanwhile is part of the verdict.
func TestInsideChecks(t *testing.T) {
	enter(t)
	well := func(context.Context) error { return nil }
	blind := func(context.Context) error { return results.Blind(results.CauseBrowser, errBroken) }
	for _, c := range []struct {
		name   string
		key    string
		look   func(r *rig) func(context.Context) error
		v      verdict.Verdict
		code   int
		reason string
		failed []string
	}{
		{"isolated and well", "isolated", func(*rig) func(context.Context) error { return well }, verdict.Pass, 0, "none failed", nil},
		{"well while open", "while_open", func(*rig) func(context.Context) error { return well }, verdict.Pass, 0, "none failed", nil},
		{"isolated breaks", "isolated", (*rig).brokenByTheFault, verdict.Fail, 1, "failed: isolated", []string{"isolated"}},
		{"breaks while open", "while_open", (*rig).brokenByTheFault, verdict.Fail, 1, "failed: answer-while-open", []string{"answer-while-open"}},
		{"contract broken while open", "satisfied", (*rig).brokenByTheFault, verdict.Fail, 1, "failed: answer-while-open", []string{"answer-while-open"}},
		{"error that the contract does not document", "documented-error", (*rig).brokenByTheFault, verdict.Fail, 1, "failed: answer-while-open", []string{"answer-while-open"}},
		{"error that the contract documents", "documented-error", (*rig).documentedByTheFault, verdict.Pass, 0, "none failed", nil},
		{"documented, and to be satisfied", "satisfied", (*rig).documentedByTheFault, verdict.Fail, 1, "failed: answer-while-open", []string{"answer-while-open"}},
		{"contract that may fail", "may-fail", (*rig).brokenByTheFault, verdict.Pass, 0, "none failed", nil},
		{"blind while open", "while_open", func(*rig) func(context.Context) error { return blind }, verdict.Inconclusive, 3, "answer-while-open: Check a could not look", nil},
		{"isolated and blind", "isolated", func(*rig) func(context.Context) error { return blind }, verdict.Inconclusive, 3, "isolated: Check a could not look", nil},
		{"critical before the fault", "isolated", func(*rig) func(context.Context) error {
			return func(context.Context) error { return errBroken }
		}, verdict.Inconclusive, 3, "unhealthy baseline: check a is critical: broken", nil},
		{"stops the run", "abort_when", (*rig).brokenByTheFault, verdict.Aborted, 5, "check a was critical: broken", nil},
		{"stops the run, blind twice", "abort_when", func(*rig) func(context.Context) error { return blind }, verdict.Aborted, 5, "check a was unknown", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := patientFor(t, c.v, c.reason, func() *scenarios.Report {
				r := newRig(t, newGate(t, failures, openFor))
				r.looks["a"] = c.look(r)
				r.change = func(s string) string {
					s += "checks: [{name: a, timeout: 1s, look: {like: a}}]\n"
					if slices.Contains([]string{"satisfied", "documented-error", "may-fail"}, c.key) {
						return s + "contracts: {a: {while_open: " + c.key + "}}\n"
					}
					s += c.key + ": [a]\n"
					if c.key == "abort_when" { // long enough for a check that runs every second
						s = strings.Replace(s, "baseline: {idle: 300ms, calls: 5}", "baseline: {idle: 300ms, calls: 60, success: 80%}", 1)
					}
					return s
				}
				if c.key == "abort_when" && c.code == 5 {
					r.service.gate = newGate(t, 40, openFor)
					change := r.change
					r.change = func(s string) string { return strings.Replace(change(s), "failures: 3", "failures: 40", 1) }
				}
				return r.run(t.Context(), t)
			})
			want(t, rep, c.v, c.code, c.reason, c.failed...)
			noted := slices.ContainsFunc(rep.Checks, func(l scenarios.CheckLine) bool { return l.Status == results.Critical && l.Phase != "baseline" })
			if c.key == "may-fail" && !noted {
				t.Errorf("got %+v, want the contract noted as broken", rep.Checks)
			}
			if rep.Verdict != verdict.Aborted {
				return
			}
			if f := rep.Faults[0]; f.HealedBy != "" && (f.HealedBy != "owner" || f.HealedMS-lastCheck(rep) > 300) {
				t.Errorf("got healed by %q %v ms after the check began, want at once by owner", f.HealedBy, f.HealedMS-lastCheck(rep))
			}
		})
	}
	t.Run("isolated and stopping", func(t *testing.T) { // the property fails first
		rep := patient(t, verdict.Fail, func() *scenarios.Report {
			r := newRig(t, newGate(t, failures, openFor))
			r.looks["a"] = r.brokenByTheFault()
			r.change = func(s string) string {
				return s + "checks: [{name: a, timeout: 1s, look: {like: a}}]\nisolated: [a]\nabort_when: [a]\n"
			}
			return r.run(t.Context(), t)
		})
		want(t, rep, verdict.Fail, 1, "failed: isolated", "isolated")
	})
	t.Run("blind checks are told of once", func(t *testing.T) {
		r := newRig(t, newGate(t, failures, openFor))
		r.looks["a"] = blind
		r.change = func(s string) string {
			s = strings.Replace(s, "calls: 5}", "calls: 60}", 1) // long enough for several runs
			return s + "checks: [{name: a, timeout: 1s, look: {like: a}}]\nwhile_open: [a]\n"
		}
		told := map[string]int{}
		r.engine.Progress = func(n scenarios.Note) { told[n.Phase+": "+n.Text]++ }
		rep := r.run(t.Context(), t)
		runs := map[string]int{}
		for _, c := range rep.Checks {
			runs[c.Phase]++
		}
		if got := told["baseline: check a could not look: broken"]; got != 1 || runs["baseline"] < 2 {
			t.Errorf("told %d times of %d runs, want once of several: %v", got, runs["baseline"], told)
		}
		for text, n := range told {
			if strings.Contains(text, "check a") && n > 1 {
				t.Errorf("%q was told %d times", text, n)
			}
		}
	})
	t.Run("no check has the name", func(t *testing.T) {
		r := newRig(t, newGate(t, failures, openFor))
		r.change = func(s string) string { return s + "isolated: [storefront]\n" }
		want(t, r.run(t.Context(), t), verdict.Inconclusive, 3, `check "storefront": the scenario names it`)
	})
	t.Run("a check that hangs does not hold up healing", func(t *testing.T) {
		r := newRig(t, newGate(t, failures, openFor))
		stopped, hangs, begun := make(chan struct{}), make(chan struct{}), atomic.Bool{}
		hang := sync.OnceFunc(func() { close(hangs) })
		r.looks["a"] = func(ctx context.Context) error {
			if begun.Swap(true) { // it was well before the fault
				hang()
				<-ctx.Done()
			}
			return nil
		}
		r.change = func(s string) string { return s + "checks: [{name: a, timeout: 9s, look: {like: a}}]\nisolated: [a]\n" }
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer close(stopped)
			defer cancel()
			if r.await(ctx, "the breaker opened") {
				select {
				case <-hangs:
				case <-ctx.Done():
				}
			}
		}()
		rep := r.run(ctx, t)
		cancel()
		<-stopped
		want(t, rep, verdict.Aborted, 5, "stopped by a person")
		if f := rep.Faults[0]; rep.DurationMS-f.HealedMS > 3500 || f.HealedBy != "owner" {
			t.Errorf("healed by %q at %v ms of %v", f.HealedBy, f.HealedMS, rep.DurationMS)
		}
	})
}

// documentedByTheFault is a check whose answer is an error that it documents while the
// dependency is away.
func (r *rig) documentedByTheFault() func(context.Context) error {
	broken := r.brokenByTheFault()
	return func(ctx context.Context) error {
		err := broken(ctx)
		if err != nil {
			err = results.Fault(results.CauseDocumented, err)
		}
		return err
	}
}

// brokenByTheFault is a check that is critical while the dependency is away.
func (r *rig) brokenByTheFault() func(context.Context) error {
	dialer := &net.Dialer{Control: own.Control} // not counted, as a probe is not
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if err := (&service{client: client, dependency: "http://" + r.address}).pay(ctx); err != nil {
			return errBroken
		}
		return nil
	}
}

func lastCheck(rep *scenarios.Report) float64 { return rep.Checks[len(rep.Checks)-1].AtMS }
