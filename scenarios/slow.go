package scenarios

import (
	"context"
	"time"

	"github.com/foreshock/foreshock/faults"
)

// slowBy is by how much the dependency's answers are made late: well beyond what is
// declared to be slow, and well below the service's patience.
func (s *Spec) slowBy() time.Duration {
	b := s.Breaker
	return (b.SlowCall + min(b.CallTimeout, 2*b.SlowCall)) / 2
}

// slowCalls is how many slow calls are made at most.
func (s *Spec) slowCalls() int {
	d := s.declares(s.heldAtMost())
	return d.SlowCalls + d.Slack + 5
}

// slows says that the plan makes the dependency slow: of a fault that is itself a
// latency, the outage tells.
func (s *Spec) slows() bool { return s.Breaker.SlowCall > 0 && s.slowCalls() > 5 && !s.lives() }

// slowly makes the dependency's answers late, so that calls succeed and are slow, until
// the breaker opens or has had its chance to.
func (x *experiment) slowly(ctx context.Context) error {
	if !x.spec.slows() || !x.spec.does(extraSlow) || x.phase() != "recovered" {
		return nil
	}
	x.goOn()
	defer x.runner.Hold(x.spec.WhileOpen...)()
	f, err := faults.Slow(x.spec.faults[0].Target(), x.spec.slowBy())
	if err != nil {
		return inconclusive("calls could not be made slow: %v", err)
	}
	// Two faults of one target would both count: the first has done its work.
	if err := x.close(); err != nil { //nolint:contextcheck // healing has limits of its own
		return err
	}
	if err := x.install(ctx, []faults.Fault{f}); err != nil {
		return err
	}
	if _, err := x.level(ctx); err != nil {
		return err
	}
	x.enter("closed")
	if err := x.arm(ctx, &x.obs.Slowed); err != nil {
		return err
	}
	fast := 0
	for n := 0; n < x.spec.slowCalls() && fast < 3; n++ {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
		o := x.observed()
		if c := o.Calls[len(o.Calls)-1]; c.Took > x.spec.Breaker.SlowCall {
			fast = 0
		} else {
			fast++
		}
	}
	x.note("answers late by %v: %d calls, the last %d of them fast", x.spec.slowBy(), x.spec.slowCalls(), fast)
	if err := x.heal(ctx); err != nil {
		return err
	}
	return x.recovers(ctx)
}
