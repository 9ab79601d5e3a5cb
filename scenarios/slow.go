package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// slowFor is how long slow calls take at least: somewhat longer than what is declared to
// be slow, so that a limit that is off shows, and well below the service's patience.
func (s *Spec) slowFor() time.Duration {
	b := s.Breaker
	return min(b.SlowCall*13/10, (b.SlowCall+b.CallTimeout)/2)
}

// quickFor is how long calls take that are late and not yet slow: so much shorter that a
// busy machine does not make them slow.
func (s *Spec) quickFor() time.Duration { return s.Breaker.SlowCall * 13 / 20 }

// gaugeCalls is how many calls tell how often a call waits for the dependency.
const gaugeCalls = 3

// slowCalls is how many slow calls are made at most.
func (s *Spec) slowCalls() int {
	d := s.declares(s.heldAtMost())
	return d.SlowCalls + d.Slack + 5
}

// slows says that the plan makes the dependency slow: of a fault that is itself a
// latency, the outage tells.
func (s *Spec) slows() bool { return s.Breaker.SlowCall > 0 && s.slowCalls() > 5 && !s.lives() }

// slowingTime is how long the dependency is slow at most.
func (s *Spec) slowingTime(well time.Duration) time.Duration {
	late := gaugeCalls*s.slowFor() + time.Duration(s.slowCalls())*(s.quickFor()+s.slowFor()+4*tripPause)
	return 2*s.levels(well) + late + s.perFailure() + 2*s.recovery()
}

// slowly makes the dependency's answers late, so that calls succeed: first by less than
// what is slow, which may not open the breaker, and then by more, until it opens or has
// had its chance to.
func (x *experiment) slowly(ctx context.Context) error {
	if !x.spec.slows() || !x.spec.does(extraSlow) || x.phase() != "recovered" {
		return nil
	}
	x.goOn()
	defer x.runner.Hold(x.spec.WhileOpen...)()
	trips, err := x.roundTrips(ctx)
	if err != nil {
		return err
	}
	quick := (x.spec.quickFor() - x.fastest()) / time.Duration(trips)
	if err := x.late(ctx, &x.obs.Quick, quick); err != nil || x.phase() != "recovered" {
		return err
	}
	return x.late(ctx, &x.obs.Slowed, x.spec.slowFor()/time.Duration(trips))
}

// roundTrips is how often a call waits for the dependency: once over a connection that is
// there, twice if it makes one.
func (x *experiment) roundTrips(ctx context.Context) (int, error) {
	by := x.spec.Breaker.SlowCall * 3 / 10
	if err := x.delay(ctx, by); err != nil {
		return 0, err
	}
	var span verdict.Span
	if err := x.arm(ctx, &span); err != nil {
		return 0, err
	}
	took := x.spec.Target.timeout()
	for range gaugeCalls {
		c, err := x.call(ctx)
		if err != nil {
			return 0, err
		}
		took = min(took, c.Took) // a busy machine makes it longer only
	}
	over := float64(took-x.fastest()) / float64(by)
	return max(1, int(over+0.3)), x.heal(ctx)
}

// fastest is the shortest success.
func (x *experiment) fastest() time.Duration {
	fastest := x.spec.Target.timeout()
	for _, c := range x.observed().Calls {
		if c.Outcome == verdict.Success {
			fastest = min(fastest, c.Took)
		}
	}
	return fastest
}

// delay puts a delay in the place of the faults.
func (x *experiment) delay(ctx context.Context, by time.Duration) error {
	f, err := faults.Slow(x.spec.faults[0].Target(), by)
	if err != nil {
		return inconclusive("calls could not be made slow: %v", err)
	}
	// Two faults of one target would both count: the one before has done its work.
	if err := x.close(); err != nil { //nolint:contextcheck // healing has limits of its own
		return err
	}
	return x.install(ctx, []faults.Fault{f})
}

// late makes calls while every answer is late, until the breaker opens or has had its
// chance to; span is when.
func (x *experiment) late(ctx context.Context, span *verdict.Span, by time.Duration) error {
	if by < 5*time.Millisecond {
		return nil // it could not be told from an answer that is not late
	}
	if err := x.delay(ctx, by); err != nil {
		return err
	}
	if _, err := x.level(ctx); err != nil {
		return err
	}
	x.enter("closed")
	if err := x.arm(ctx, span); err != nil {
		return err
	}
	turned := 0
	for n := 0; n < x.spec.slowCalls() && turned < 3; n++ {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
		o := x.observed()
		if c := o.Calls[len(o.Calls)-1]; c.Outcome == verdict.Success && c.Took >= by {
			turned = 0
		} else {
			turned++
		}
	}
	took := x.tookIn(*span)
	x.note("answers late by %v: %d calls took %v, the last %d of them reached nobody", by.Round(time.Millisecond), len(took), rank(took, 50).Round(time.Millisecond), turned)
	if err := x.heal(ctx); err != nil {
		return err
	}
	return x.recovers(ctx)
}

// tookIn is how long the calls took that began in a span, in order of length.
func (x *experiment) tookIn(s verdict.Span) (took []time.Duration) {
	for _, c := range x.observed().Calls {
		if c.At >= s.Start {
			took = append(took, c.Took)
		}
	}
	slices.Sort(took)
	return took
}
