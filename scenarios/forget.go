package scenarios

import (
	"context"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// mostForgotten is the longest window of which it is tried whether the breaker forgets
// what lies before it.
const mostForgotten = 30 * time.Second

// agingCalls is how many failures grow old: one fewer than open the breaker; 0 if that is
// not tried.
func (s *Spec) agingCalls() int {
	b := s.Breaker
	if w := b.Window.time; w == 0 || w > mostForgotten || b.Adaptive || s.lives() || b.counts() && b.MinCalls < 3 {
		return 0
	}
	if n := s.declares(s.heldAtMost()).Failures; n >= 3 {
		return (n - 1) / (1 + b.Retries)
	}
	return 0
}

// aged is for how long nobody calls, so that failures are older than the window: some
// breakers forget a whole part of it at a time.
func (s *Spec) aged() time.Duration {
	w := s.Breaker.Window.time
	return w + max(w/5, 1100*time.Millisecond)
}

// aging makes one failure fewer than opens the breaker, waits until its window is over,
// and makes two more: the first of them must not open it.
func (x *experiment) aging(ctx context.Context) error {
	left := x.spec.agingCalls()
	if left == 0 || !x.spec.does(extraAging) || x.phase() != "recovered" {
		return nil
	}
	x.goOn()
	defer x.runner.Hold(x.spec.WhileOpen...)()
	if _, err := x.level(ctx); err != nil {
		return err
	}
	x.enter("closed")
	x.mu.Lock()
	x.obs.Aged = verdict.Aged{Failures: left}
	x.mu.Unlock()
	if err := x.arm(ctx, &x.obs.Aged.Span); err != nil {
		return err
	}
	x.note("%d failures, one fewer than open it, then nobody calls for %v, then 2 more", left, x.spec.aged())
	for done := 0; left > 0; left -= done {
		done = 1
		if x.spec.waveCalls() > 0 {
			done = min(left, x.spec.Load.MaxConcurrency)
		}
		if err := x.failTogether(ctx, done); err != nil {
			return err
		}
	}
	if err := sleep(ctx, x.spec.aged()); err != nil {
		return err
	}
	x.mu.Lock()
	x.obs.Aged.Anew = x.now()
	x.mu.Unlock()
	for range 2 {
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
	return x.recovers(ctx)
}

// failTogether makes n calls under the fault, at the same moment if there are several.
func (x *experiment) failTogether(ctx context.Context, n int) error {
	if n == 1 {
		return x.callOnce(ctx)
	}
	if err := x.together(ctx, n); err != nil {
		return err
	}
	return sleep(ctx, max(tripPause, time.Duration(n)*x.spec.perCall()))
}
