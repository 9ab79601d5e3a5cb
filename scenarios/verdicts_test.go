package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// TestInsideVerdicts: a right breaker passes, and each wrong one fails in what it does
// wrong and in nothing else. Each group has a kernel of its own, so that none waits long.
func TestInsideVerdicts0(t *testing.T) { verdicts(t, 0) }
func TestInsideVerdicts1(t *testing.T) { verdicts(t, 1) }
func TestInsideVerdicts2(t *testing.T) { verdicts(t, 2) }

func verdicts(t *testing.T, group int) {
	t.Helper()
	enter(t)
	right := func(t *testing.T) *rig { t.Helper(); return newRig(t, newGate(t, failures, openFor)) }
	for i, c := range []struct {
		name   string
		rig    func(*testing.T) *rig
		failed []string
		says   string // the detail of the first failed one
	}{
		{"right", right, nil, ""},
		{"right, refused and not dropped", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.change = func(s string) string { return strings.Replace(s, "drop:", "reject:", 1) }
			return r
		}, nil, ""},
		{"right, its first failure on a pooled connection", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.service.pooled = true
			return r
		}, nil, ""},
		{"right, with a pooled connection that hangs", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.service.pooled = true
			r.change = func(s string) string { return strings.Replace(s, `"ADDRESS"`, `"ADDRESS", established: drop`, 1) }
			return r
		}, nil, ""},
		{"right, with retries", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.service.retries = 1
			r.change = func(s string) string { return strings.Replace(s, "failures: 3", "failures: 3\n  retries: 1", 1) }
			return r
		}, nil, ""},
		{"right, with a fallback that looks like any answer", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.service.rejected, r.service.body = 200, `{"paid": false, "note": "charged later"}`
			r.change = func(s string) string {
				return strings.Replace(s, "rejected: {status: [503], body: charged later}", `fallback: {status: [200], json: {"$.paid": false}}`, 1)
			}
			return r
		}, nil, ""},
		{"off", func(t *testing.T) *rig { t.Helper(); return newRig(t, off{}) }, []string{"trips-at-threshold", "quiet-while-open", "fails-fast", "answer-while-open"}, "never opened"},
		{"leaks while open", func(t *testing.T) *rig { t.Helper(); return newRig(t, &leaky{gate: newGate(t, failures, openFor)}) }, []string{"quiet-while-open", "fails-fast", "half-open-limit", "reopens-on-failed-probe", "answer-while-open"}, "after the breaker opened"},
		{"one too early", func(t *testing.T) *rig { t.Helper(); return newRig(t, newGate(t, failures-1, openFor)) }, []string{"trips-at-threshold", "not-before-threshold"}, "too early: after 2"},
		{"one too late", func(t *testing.T) *rig { t.Helper(); return newRig(t, newGate(t, failures+1, openFor)) }, []string{"trips-at-threshold"}, "too late: 4"},
		{"too short open", func(t *testing.T) *rig { t.Helper(); return newRig(t, newGate(t, failures, openFor/2)) }, []string{"quiet-while-open", "fails-fast", "reopens-on-failed-probe", "answer-while-open"}, "declared to stay open for 500ms"},
		{"never closes", func(t *testing.T) *rig {
			t.Helper()
			r := newRig(t, newGate(t, failures, time.Hour))
			r.change = func(s string) string { return strings.Replace(s, "recovers_in: 3s", "recovers_in: 500ms", 1) }
			return r
		}, []string{"closes-on-success", "not-stuck"}, "stuck"},
		{"right, by hand", func(t *testing.T) *rig { t.Helper(); return newRig(t, &machine{}) }, nil, ""},
		{"right, with a window", windowed(&machine{window: time.Second}), nil, ""},
		{"a window with edges", windowed(&machine{window: time.Second, edges: true}), []string{"sliding-window"}, "begin anew"},
		{"too early for its rate", func(t *testing.T) *rig {
			t.Helper()
			r := newRig(t, &machine{window: time.Minute})
			r.change = func(s string) string {
				return strings.Replace(s, "failures: 3", "failure_rate: 50%\n  min_calls: 4\n  window: 10 calls", 1)
			}
			return r
		}, []string{"trips-at-threshold", "not-before-threshold"}, "too early"},
		{"right, under latency", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.change = func(s string) string {
				return strings.Replace(s, `drop: {to: "ADDRESS"}`, `latency: {to: "ADDRESS", latency: 300ms}`, 1)
			}
			return r
		}, nil, ""},
		{"right, sees slow calls", slowCalls(&machine{slow: callTimeout / 3}), nil, ""},
		{"blind to slow calls", slowCalls(&machine{}), []string{"slow-calls-count"}, "does not see slow calls"},
		{"herd", func(t *testing.T) *rig { t.Helper(); return newRig(t, &machine{herd: true}) }, []string{"half-open-limit"}, "of 11 calls reached the dependency; at most 1 may"},
		{"forgets its failed probe", func(t *testing.T) *rig { t.Helper(); return newRig(t, &machine{forgets: true}) }, []string{"reopens-on-failed-probe"}, "must open it again"},
		{"loses its probe", func(t *testing.T) *rig {
			t.Helper()
			r := newRig(t, &machine{stuck: true})
			r.change = func(s string) string { return strings.Replace(s, "recovers_in: 3s", "recovers_in: 500ms", 1) }
			return r
		}, []string{"closes-on-success", "not-stuck"}, "stuck"},
		{"adds up failures", func(t *testing.T) *rig { t.Helper(); return newRig(t, &machine{total: true}) }, []string{"trips-at-threshold", "not-before-threshold"}, "too early: after 1"},
		{"tries twice", func(t *testing.T) *rig { t.Helper(); return newRig(t, again{newGate(t, failures, openFor)}) }, []string{"half-open-limit", "retry-discipline"}, ""},
		{"another answer", func(t *testing.T) *rig {
			t.Helper()
			r := right(t)
			r.service.rejected = 500
			return r
		}, []string{"answer-while-open"}, "no rejected (status: got 500, want 503"},
		{"slow while open", func(t *testing.T) *rig {
			t.Helper()
			r := newRig(t, newGate(t, failures, 3*openFor))
			r.service.slow = openFor / 2
			r.change = func(s string) string { return strings.Replace(s, "500ms", "1500ms", 1) }
			return r
		}, []string{"fails-fast"}, "something"},
	} {
		if i%3 != group {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			v, code, reason := verdict.Pass, 0, "none failed"
			if c.failed != nil {
				v, code, reason = verdict.Fail, 1, "failed: "+strings.Join(c.failed, ", ")
			}
			r := patient(t, v, func() *scenarios.Report { return c.rig(t).run(t.Context(), t) })
			if c.failed != nil {
				if p := property(t, r, c.failed[0]); !strings.Contains(p.Detail, c.says) {
					t.Errorf("%s: got %q, want %q", p.ID, p.Detail, c.says)
				}
			}
			if late := property(t, r, "trips-at-threshold"); c.name == "a window with edges" && late.Verdict == verdict.Fail {
				// An edge may as well have come between the first failures.
				c.failed, reason = append([]string{late.ID}, c.failed...), "failed"
			}
			want(t, r, v, code, reason, c.failed...)
		})
	}
}

// windowed declares that failures count in a second.
func windowed(m *machine) func(*testing.T) *rig {
	return func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t, m)
		r.change = func(s string) string { return strings.Replace(s, "failures: 3", "failures: 3\n  window: 1s", 1) }
		return r
	}
}

// slowCalls declares that slow calls count as failures.
func slowCalls(m *machine) func(*testing.T) *rig {
	return func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t, m)
		r.change = func(s string) string { return strings.Replace(s, "failures: 3", "failures: 3\n  slow_call: 40ms", 1) }
		return r
	}
}
