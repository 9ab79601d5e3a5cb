package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

const (
	slipped    = 30 * time.Millisecond // after its open time the breaker is sure to try again
	mostLeave  = 5 * time.Second       // of open time, up to which a probe is given up for a test
	mostAgain  = 10 * time.Second      // for which a breaker is watched that opened again
	leastBurst = 10                    // more calls than may be let through come together, if allowed
)

// burstCalls is how many calls come together when the breaker has to try again.
func (s *Spec) burstCalls() int {
	n := max(2*s.Breaker.HalfOpenCalls, s.Breaker.HalfOpenCalls+leastBurst)
	return min(n, s.Load.MaxConcurrency, max(1, int(s.Load.MaxRate)))
}

// openLeast is for how long the breaker stays open at least, the nth time in a row, or
// for how long it is watched if that is not declared.
func (s *Spec) openLeast(n int) time.Duration {
	least, _ := s.declares(0).Opens(n)
	if least > 0 {
		return least
	}
	return undeclared
}

// halfOpen waits until the open time is over, makes many calls at the same moment, and
// watches whether the breaker opens again.
func (x *experiment) halfOpen(ctx context.Context, t verdict.Trip) error {
	due, openFor, ok := x.due(t)
	if !ok {
		return nil
	}
	if err := x.sleepUntil(ctx, due); err != nil {
		return err
	}
	x.enter("half-open")
	if x.spec.opens(1) > 0 {
		x.obs.Due = x.now()
	}
	if err := x.burst(ctx, &x.obs.Probe, due+openFor/2+time.Second, max(openFor/20, mostPause)); err != nil {
		return err
	}
	o := x.observed()
	probes := 0
	for _, a := range o.Attempts {
		if o.Probe.Has(a) {
			probes++
		}
	}
	x.note("%s at the same moment: %s at the dependency", count(x.spec.burstCalls(), "call"), count(probes, "attempt"))
	x.publishStates(ctx, x.observed())
	if probes == 0 && !o.Survive && !x.reached(o.Probe.Start) || x.spec.Breaker.OpenFor.First == 0 {
		return x.look(ctx)
	}
	x.enter("open")
	watch := min(x.spec.openLeast(2)*9/10, mostAgain)
	if err := x.callUntil(ctx, o.Probe.End+watch, never); err != nil {
		return err
	}
	return x.look(ctx)
}

// due is when the breaker is sure to try again, and for how long it was open: as is
// declared, or as was seen.
func (x *experiment) due(t verdict.Trip) (at, openFor time.Duration, ok bool) {
	if most := x.spec.opens(1); most > 0 {
		return t.At + most + slipped, most, true
	}
	_, most, seen := verdict.OpenTime(x.observed(), t)
	if !seen {
		return 0, 0, false
	}
	again := t.At + most + x.spec.Breaker.CallTimeout // the probe that told of it has failed by then
	return again + most + slipped, most, true
}

// burst calls many times at once until somebody reaches the dependency; span is when.
func (x *experiment) burst(ctx context.Context, span *verdict.Span, until, pause time.Duration) error {
	for {
		start := x.now()
		x.mu.Lock()
		*span = verdict.Span{Start: start}
		x.mu.Unlock()
		if err := x.together(ctx, x.spec.burstCalls()); err != nil {
			return err
		}
		if err := sleep(ctx, tripPause); err != nil {
			return err
		}
		if err := x.attempts(ctx); err != nil {
			return err
		}
		x.mu.Lock()
		span.End = x.now()
		x.mu.Unlock()
		if x.reached(start) || x.now() >= until {
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// reached says that a call since some time has reached the dependency: by its attempt,
// by its outcome where the service's connection comes back by itself, or, where connections live on, by how long it took.
func (x *experiment) reached(since time.Duration) bool {
	o := x.observed()
	if len(verdict.LetThrough(x.declares(), o, since)) > 0 {
		return true
	}
	if n := len(o.Attempts); n > 0 && o.Attempts[n-1] >= since {
		return true
	}
	return x.lives && slices.ContainsFunc(o.Calls, func(c verdict.Call) bool { return c.At >= since && c.Took >= x.waits() })
}

// leaves says that the plan gives up a probe.
func (s *Spec) leaves() bool {
	most := s.opens(2)
	return most > 0 && most <= mostLeave && !s.Breaker.Adaptive
}

// abandonProbe gives up a call that the breaker tries again with, before it has its
// answer. Where the open time is long, the probes that got no answer must tell.
func (x *experiment) abandonProbe(ctx context.Context) error {
	b, most := x.spec.Breaker, x.spec.opens(2)
	if !x.spec.does(extraLeave) || x.obs.Probe.Length() == 0 || x.obs.Survive {
		return nil
	}
	x.inPhase("half-open")
	last := x.obs.Probe.End
	if n := len(x.obs.Attempts); n > 0 {
		last = max(last, x.obs.Attempts[n-1]+b.CallTimeout)
	}
	if err := x.sleepUntil(ctx, last+most+slipped); err != nil {
		return err
	}
	start := x.now()
	for x.now() < start+most/2+time.Second {
		x.obs.Left = verdict.Span{Start: x.now()}
		if err := x.leave(ctx, max(b.CallTimeout/3, slipped)); err != nil {
			return err
		}
		if err := sleep(ctx, tripPause); err != nil {
			return err
		}
		if err := x.attempts(ctx); err != nil {
			return err
		}
		x.mu.Lock()
		x.obs.Left.End = x.now()
		x.mu.Unlock()
		if x.reached(x.obs.Left.Start) {
			x.note("a caller left while the breaker tried again with its call")
			// A breaker that lets the next call try is open again when that one has failed.
			return x.callUntil(ctx, x.now()+2*b.CallTimeout, never)
		}
	}
	x.obs.Left, x.obs.Vain = verdict.Span{}, verdict.Span{Start: start, End: x.now()}
	return nil
}
