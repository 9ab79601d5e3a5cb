package scenarios

import (
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// The parts of a recovery are told apart by what calls did: none of them is blamed for
// another's time, and together they are all of it.
func TestRecovery(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	d := verdict.Declared{Failures: 3, OpenFor: time.Second, CallTimeout: 100 * ms, FailsFastIn: 50 * ms, Answer: true}
	type calls = []verdict.Call
	millis := func(n int) time.Duration { return time.Duration(n) * ms }
	call := func(at, took int, o verdict.Outcome) verdict.Call {
		return verdict.Call{At: millis(at), Took: millis(took), Outcome: o}
	}
	// Well until 1 s; then the fault, until 4 s, and a breaker that opens at its third failure.
	before := func(tripped bool) *verdict.Observed {
		o := &verdict.Observed{Armed: verdict.Span{Start: time.Second, End: 4 * time.Second}, Ended: 20 * time.Second}
		for at := 0; at < 1000; at += 100 {
			o.Calls, o.Attempts = append(o.Calls, call(at, 5, verdict.Success)), append(o.Attempts, millis(at+1))
		}
		for at := 1000; at < 3700; at += 150 {
			if at < 1450 || !tripped {
				o.Calls, o.Attempts = append(o.Calls, call(at, 100, verdict.Rejected)), append(o.Attempts, millis(at+1))
			} else {
				o.Calls = append(o.Calls, call(at, 1, verdict.Rejected))
			}
		}
		return o
	}
	for name, c := range map[string]struct {
		tripped          bool
		calls            calls
		attempts         []int   // milliseconds
		steadyFrom       int     // milliseconds: successes with attempts, one every 100 ms
		open, tail, rest float64 // milliseconds
	}{
		"the breaker was open":     {tripped: true, calls: calls{call(4100, 1, verdict.Rejected), call(4300, 1, verdict.Rejected)}, steadyFrom: 4500, open: 501, rest: 4},
		"no breaker, nothing hung": {calls: calls{}, steadyFrom: 4000, rest: 5},
		"a call hung on its lost packet": {
			calls: calls{call(3950, 1000, verdict.Success)}, attempts: []int{3951}, steadyFrom: 5000, tail: 950, rest: 55,
		},
		"a pooled connection hung after the open time": {
			tripped: true, calls: calls{call(4100, 1, verdict.Rejected), call(4500, 600, verdict.Success)}, steadyFrom: 5200, open: 500, tail: 600,
		},
		"a slow rejection is no tail": {
			tripped: true, calls: calls{call(4100, 80, verdict.Rejected), call(4300, 80, verdict.Rejected)}, steadyFrom: 4500, open: 501, rest: 4,
		},
		"a probe failed after healing": {
			tripped: true, calls: calls{call(4200, 90, verdict.Rejected), call(4400, 1, verdict.Rejected)}, attempts: []int{4201}, steadyFrom: 5000,
			open: 912, rest: 93,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := before(c.tripped)
			o.Calls = append(o.Calls, c.calls...)
			for _, a := range c.attempts {
				o.Attempts = append(o.Attempts, millis(a))
			}
			for i := range 8 {
				at := c.steadyFrom + i*100
				o.Calls, o.Attempts = append(o.Calls, call(at, 5, verdict.Success)), append(o.Attempts, millis(at+1))
			}
			r := recoveryOf(d, o)
			if r == nil {
				t.Fatal("got none")
			}
			if r.BreakerOpenMS != c.open || r.TCPTailMS != c.tail || r.RestMS != c.rest {
				t.Errorf("got %+v, want open %v, tail %v, rest %v", *r, c.open, c.tail, c.rest)
			}
			if sum := r.BreakerOpenMS + r.TCPTailMS + r.RestMS; sum != r.SteadyMS-r.HealedMS {
				t.Errorf("the parts add up to %v of %v", sum, r.SteadyMS-r.HealedMS)
			}
		})
	}
	if r := recoveryOf(d, before(true)); r != nil {
		t.Errorf("calls never succeeded again, and there is %+v", *r)
	}
}
