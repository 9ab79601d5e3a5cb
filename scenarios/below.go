package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// mostBelow is the longest time that calls below the threshold may take: with more, the
// outage itself must tell.
const mostBelow = 15 * time.Second

// belowCalls is how many calls may fail without opening the breaker; 0 if that is not
// tried: a window would not forget them before the outage.
func (s *Spec) belowCalls() int {
	b := s.Breaker
	hangs := func(f faults.Fault) bool { return f != nil && faults.Counts(f) && !resets(f) }
	if slices.ContainsFunc(s.faults, hangs) { // it would leave connections that hang the next time
		return 0
	}
	if s.openFor() > mostAgain && b.OpenFor.First > 0 {
		return 0
	}
	n := (b.Failures - 1) / (1 + b.Retries)
	if b.Failures == 0 || b.counts() || b.Window.time > 0 || b.Adaptive || time.Duration(n)*s.perFailure() > mostBelow {
		return 0
	}
	return n
}

// below arms the fault for one failure fewer than opens the breaker, heals it, and
// goes on until a call succeeds, or the breaker has had its time to close.
func (x *experiment) below(ctx context.Context) error {
	n := x.spec.belowCalls()
	if n == 0 || !x.spec.does(extraBelow) || slices.ContainsFunc(x.faults, faults.Irreversible) {
		return nil
	}
	defer x.runner.Hold(slices.Concat(x.spec.WhileOpen, x.spec.others())...)()
	if err := x.settle(ctx); err != nil {
		return err
	}
	x.enter("closed")
	if err := x.arm(ctx, &x.obs.Tried); err != nil {
		return err
	}
	for range n {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
	}
	if err := x.look(ctx); err != nil {
		return err
	}
	if err := x.heal(ctx); err != nil {
		return err
	}
	if x.bitten == 0 { // the outage will tell whether it is the wrong target
		x.mu.Lock()
		x.obs.Tried = verdict.Span{}
		x.mu.Unlock()
		return nil
	}
	succeeded := func() bool {
		o := x.observed()
		last := o.Calls[len(o.Calls)-1]
		return last.At >= o.Tried.End && last.Outcome == verdict.Success
	}
	x.note("%s failed, one fewer than open it", count(n, "call"))
	if err := x.callUntil(ctx, x.now()+x.spec.recovery(), succeeded); err != nil {
		return err
	}
	if succeeded() {
		return sleep(ctx, x.spec.forgets())
	}
	// It opened too early and does not close: that was the outage.
	x.mu.Lock()
	defer x.mu.Unlock()
	x.obs.Armed, x.obs.Tried = x.obs.Tried, verdict.Span{}
	x.armed, x.lost = &x.obs.Armed, true
	return nil
}

// forgets is how long nobody calls, so that failures of before count no more: some
// breakers forget them only when none came for as long as they stay open, and count that
// in whole seconds.
func (s *Spec) forgets() time.Duration { return s.opens(1) + 1100*time.Millisecond }

// over says that there is nothing more to learn from the service: it did not come back.
func (x *experiment) over() bool { return x.lost }

// callOnce makes a call under the fault, and notes what it met and tried.
func (x *experiment) callOnce(ctx context.Context) error {
	c, err := x.call(ctx)
	if err != nil {
		return err
	}
	if err := x.met(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, max(tripPause, x.spec.perCall()-c.Took)); err != nil {
		return err
	}
	return x.attempts(ctx) // those that came after the answer
}
