package scenarios_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// TestInsideStops: whoever stops a run, and whenever, nothing stays.
func TestInsideStops(t *testing.T) {
	enter(t)
	for _, c := range []struct {
		name, note string // the note at which it is stopped
		phase      string // the last one
		armed      bool
	}{
		{"before it begins", "", "idle", false},
		{"idle", "300ms without a call", "idle", false},
		{"baseline", "20 calls, 20 succeeded", "baseline", false},
		{"closed", "fault armed", "closed", true},
		{"open", "the breaker opened", "open", true},
		{"half-open", "a caller left", "half-open", true},
		{"recovered", "calls succeed again", "recovered", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := patient(t, verdict.Aborted, func() *scenarios.Report {
				r := newRig(t, newGate(t, failures, openFor))
				r.looks["late"] = func(ctx context.Context) error { return sleep(ctx, 200*time.Millisecond) }
				r.change = func(s string) string {
					s = strings.Replace(s, "calls: 5", "calls: 20", 1)
					if c.name == "baseline" { // which then waits for the check
						s += "checks: [{name: late, timeout: 1s, look: {like: late}}]\nabort_when: [late]\n"
					}
					return s
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stopped := make(chan struct{})
				go func() {
					defer close(stopped)
					if c.note != "" {
						r.await(ctx, c.note)
					}
					cancel()
				}()
				if c.note == "" {
					<-stopped
				}
				defer func() { cancel(); <-stopped }()
				return r.run(ctx, t)
			})
			want(t, rep, verdict.Aborted, 5, "stopped by a person or a signal")
			if got := rep.Phases[len(rep.Phases)-1].Name; got != c.phase {
				t.Errorf("ended in %s, want %s", got, c.phase)
			}
			if healed := len(rep.Faults) == 1 && rep.Faults[0].HealedBy == "owner"; healed != c.armed {
				t.Errorf("got %+v, want it healed by its owner: %v", rep.Faults, c.armed)
			}
		})
	}
	t.Run("the limit", func(t *testing.T) {
		const long = 5 * time.Second // it ends while the breaker is open, as declared
		r := newRig(t, newGate(t, failures, long))
		r.change = func(s string) string { return strings.Replace(s, "open_for: 500ms", "open_for: 5s", 1) }
		spec := r.spec(t)
		spec.Limit = 2 * time.Second
		rep := r.engine.Run(t.Context(), spec)
		nothingLeft(t)
		r.consistent(t, rep)
		want(t, rep, verdict.Aborted, 5, "the limit of 2s was reached")
		if f := rep.Faults[0]; f.HealedBy == "" || f.HealedMS > 2000 {
			t.Errorf("got healed by %q at %v ms, want it before the limit", f.HealedBy, f.HealedMS)
		}
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
