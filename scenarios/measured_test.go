package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// TestInsideMeasured: of a breaker of which nothing is declared, what can be declared
// is measured, and nothing is held against it.
func TestInsideMeasured(t *testing.T) {
	enter(t)
	for _, c := range []struct {
		name     string
		gate     gate
		body     string
		status   int
		proposal string
		opens    string
	}{
		{"with a status of its own", newGate(t, 4, time.Second), "later", 503, "It opens after 4 failures in a row, stays open for 1s, admits 1; declare breaker: {failures: 4, open_for: 1s, half_open_calls: 1}.", "4 failed calls"},
		{"with a fallback that looks like a success", newGate(t, 3, 2*time.Second), `{"paid": false}`, 200, "It opens after 3 failures in a row, stays open for 2s, admits 1; declare breaker: {failures: 3, open_for: 2s, half_open_calls: 1}.", "3 failed calls"},
		{"off", off{}, "", 503, "The threshold is not declared, and no opening was seen. Declare breaker.failures, if there is a breaker on this path.", "did not open in 20 calls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.gate)
			r.service.rejected, r.service.body = c.status, c.body
			r.change = func(string) string {
				return fmt.Sprintf("name: unknown\ntarget: {http: {url: %q}}\nfault: [{drop: {to: %q}}]\n", r.url, r.address)
			}
			spec := r.spec(t)
			spec.Baseline.Idle, spec.Baseline.Calls, spec.RecoverIn = 300*time.Millisecond, 5, 0
			rep := r.engine.Run(t.Context(), spec)
			nothingLeft(t)
			r.consistent(t, rep)
			want(t, rep, verdict.Inconclusive, 3, "trips-at-threshold: "+c.proposal)
			if p := property(t, rep, "trips-at-threshold"); p.Detail != c.proposal || !strings.Contains(p.Observed, "open") {
				t.Errorf("got %q, %q, want %q", p.Observed, p.Detail, c.proposal)
			}
			if m := rep.Measured[0]; m.Declared != "not declared" || m.Measured != c.opens {
				t.Errorf("got declared %q and measured %q, want %q", m.Declared, m.Measured, c.opens)
			}
		})
	}
}
