package scenarios

import (
	"context"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// triesEarly says that the plan tries whether fewer successes than declared close the
// breaker: by whether it then opens at once again, or only at its threshold.
func (s *Spec) triesEarly() bool {
	b := s.Breaker
	return b.HalfOpenSuccesses > 1 && b.Failures > max(1, b.HalfOpenCalls-b.HalfOpenSuccesses+1) && !b.counts() && b.Window.time == 0 &&
		b.OpenFor.First > 0 && s.opens(1) <= mostAgain && !s.lives()
}

// early opens the breaker, lets it have one success fewer than it needs to close, and
// takes the dependency away again.
func (x *experiment) early(ctx context.Context) error {
	if !x.spec.triesEarly() || !x.spec.does(extraEarly) || x.phase() != "recovered" {
		return nil
	}
	x.goOn()
	defer x.runner.Hold(x.spec.WhileOpen...)()
	if err := sleep(ctx, x.spec.forgets()); err != nil {
		return err
	}
	if err := x.settle(ctx); err != nil {
		return err
	}
	good, err := x.almostClosed(ctx, x.spec.Breaker.HalfOpenSuccesses-1)
	if err != nil || good < x.spec.Breaker.HalfOpenSuccesses-1 {
		return err // recovery has told already of one that does not close
	}
	if err := x.arm(ctx, &x.obs.Again); err != nil {
		return err
	}
	for range x.spec.Breaker.Failures + 3 {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
	}
	x.note("%d successes, and the dependency was taken away again", good)
	if err := x.heal(ctx); err != nil {
		return err
	}
	return x.recovers(ctx)
}

// almostClosed opens the breaker, heals, and makes calls until some succeeded.
func (x *experiment) almostClosed(ctx context.Context, times int) (good int, err error) {
	x.enter("closed")
	var opening verdict.Span
	if err := x.arm(ctx, &opening); err != nil {
		return 0, err
	}
	for range x.spec.Breaker.Failures {
		if err := x.callOnce(ctx); err != nil {
			return 0, err
		}
	}
	if err := x.sleepUntil(ctx, x.now()+x.spec.opens(1)+slipped); err != nil {
		return 0, err
	}
	x.enter("half-open")
	if err := x.heal(ctx); err != nil {
		return 0, err
	}
	return x.succeeds(ctx, times)
}
