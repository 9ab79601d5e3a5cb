package scenarios

import (
	"context"
	"slices"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// triesHerd says that the outage cannot tell who is let through half open: its fault
// refuses at once, so that the first probe has failed before another call comes.
func (s *Spec) triesHerd() bool {
	if len(s.faults) == 0 {
		return false
	}
	b, first := s.Breaker, s.faults[0].Target().String()
	other := func(f faults.Fault) bool { return !faults.Refuses(f) || f.Target().String() != first }
	return !slices.ContainsFunc(s.faults, other) && !b.Adaptive && s.trips() && b.OpenFor.First > 0 && s.opens(1) <= mostAgain
}

// trips says that the owner declares when the breaker opens.
func (s *Spec) trips() bool { return s.Breaker.trips() > 0 }

// herd lets calls hang that were refused, until the breaker opens, and makes many at
// once when it has to try again: now they overlap.
func (x *experiment) herd(ctx context.Context) error {
	if !x.spec.triesHerd() || !x.spec.does(extraHerd) || !x.opened() {
		return nil
	}
	x.goOn()
	defer x.runner.Hold(slices.Concat(x.spec.WhileOpen, x.spec.others())...)()
	if err := sleep(ctx, x.spec.forgets()); err != nil {
		return err
	}
	// Two faults of one target would both count: the first has done its work.
	if err := x.close(); err != nil { //nolint:contextcheck // healing has limits of its own
		return err
	}
	if err := x.install(ctx, []faults.Fault{faults.Gone(x.spec.faults[0].Target())}); err != nil {
		return err
	}
	if _, err := x.level(ctx); err != nil {
		return err
	}
	x.enter("closed")
	if err := x.arm(ctx, &x.obs.Hung); err != nil {
		return err
	}
	if err := x.crowd(ctx); err != nil {
		return err
	}
	if err := x.heal(ctx); err != nil {
		return err
	}
	if !x.spec.relapses() || x.obs.Crowd.Length() == 0 {
		return x.recovers(ctx)
	}
	good, err := x.succeeds(ctx, x.spec.Breaker.HalfOpenSuccesses)
	if err != nil {
		return err
	}
	return x.relapsed(ctx, good)
}

// crowd opens the breaker and makes many calls at once when it has to try again.
func (x *experiment) crowd(ctx context.Context) error {
	if err := x.waves(ctx); err != nil {
		return err
	}
	for range x.spec.tripCalls() {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
		t, tripped := verdict.FindTrip(x.declares(), verdict.Crowded(x.observed()))
		if !tripped {
			continue
		}
		due := t.At + x.spec.opens(1) + slipped
		if err := x.sleepUntil(ctx, due); err != nil {
			return err
		}
		x.enter("half-open")
		if err := x.burst(ctx, &x.obs.Crowd, due+x.spec.opens(1)/2, max(x.spec.opens(1)/20, mostPause)); err != nil {
			return err
		}
		x.note("%d calls at the same moment, which hang now", x.spec.burstCalls())
		return nil
	}
	x.note("the breaker did not open in %d calls that hang", x.spec.tripCalls())
	return nil
}
