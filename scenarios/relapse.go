package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// relapses says that the plan takes the dependency away again as soon as the breaker has
// closed: it then counts from nothing. One that needs several successes is tried in the
// midst of them instead.
func (s *Spec) relapses() bool {
	return s.belowCalls() > 0 && !s.triesEarly() && s.Breaker.OpenFor.First > 0 && !slices.ContainsFunc(s.faults, faults.Irreversible)
}

// relapseTime is how long a relapse takes at most, once the breaker is open.
func (s *Spec) relapseTime() time.Duration {
	return s.opens(1)*2 + time.Second + time.Duration(s.belowCalls())*s.perFailure() + s.recovery() + time.Duration(s.Baseline.Calls)*s.pause()
}

// relapse opens the breaker and lets it close, for what comes then.
func (x *experiment) relapse(ctx context.Context) error {
	if x.spec.triesHerd() || !x.spec.relapses() || !x.spec.does(extraRelapse) || !x.opened() {
		return nil // the stage with calls that hang opens it anyway
	}
	x.goOn()
	defer x.runner.Hold(slices.Concat(x.spec.WhileOpen, x.spec.others())...)()
	good, err := x.almostClosed(ctx, x.spec.Breaker.HalfOpenSuccesses)
	if err != nil {
		return err
	}
	return x.relapsed(ctx, good)
}

// opened says that the outage told that the breaker opens, and closes again.
func (x *experiment) opened() bool {
	o := x.observed()
	_, tripped := verdict.FindTrip(x.declares(), o)
	return tripped && o.Doubt == "" && x.phase() == "recovered"
}

// relapsed takes the dependency away from a breaker that has just closed, for one failure
// fewer than opens it.
func (x *experiment) relapsed(ctx context.Context, good int) error {
	if good < x.spec.Breaker.HalfOpenSuccesses {
		return x.recovers(ctx)
	}
	x.enter("recovered")
	x.enter("closed")
	if err := x.arm(ctx, &x.obs.Relapse); err != nil {
		return err
	}
	for range x.spec.belowCalls() {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
	}
	x.note("it has closed, and the dependency was taken away again for %d calls", x.spec.belowCalls())
	if err := x.heal(ctx); err != nil {
		return err
	}
	return x.recovers(ctx)
}

// succeeds makes calls until some succeeded, or the breaker had its time to let them.
func (x *experiment) succeeds(ctx context.Context, times int) (good int, err error) {
	limit := x.now() + x.spec.opens(1) + time.Second
	for good < times && x.now() < limit {
		c, err := x.call(ctx)
		if err != nil {
			return good, err
		}
		if c.Outcome == verdict.Success {
			good++
		}
	}
	return good, nil
}
