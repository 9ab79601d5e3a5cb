package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

const (
	mostAlone = 10 // failures, up to which they are made one after another
	lastAlone = 2  // before the threshold, which are always made one after another
)

// level makes it known what the breaker counts from: in a row it counts from a
// success; a window of time is left to run empty, one of calls is filled with successes.
func (x *experiment) level(ctx context.Context) (held int, err error) {
	w := x.spec.Breaker.Window
	switch {
	case w.time > 0:
		x.note("%v without a call, so that the breaker's window is empty", w.time)
		if err := sleep(ctx, w.time); err != nil {
			return 0, err
		}
	case w.calls > 0:
		x.note("%d calls, so that the breaker's window is full of successes", w.calls)
		if err := x.callTimes(ctx, w.calls); err != nil {
			return 0, err
		}
	}
	if err := x.settle(ctx); err != nil {
		return 0, err
	}
	return x.inWindow(), nil
}

// inWindow is how many successes the breaker's window holds by now.
func (x *experiment) inWindow() (n int) {
	w, now := x.spec.Breaker.Window, x.now()
	for _, c := range x.observed().Calls {
		if c.Outcome == verdict.Success && (w.time == 0 || c.At+c.Took > now-w.time) {
			n++
		}
	}
	if w.calls > 0 {
		n = min(n, w.calls)
	}
	return n
}

// waves makes many of the failures that open the breaker at the same time, where one
// after another they would take too long or not fit into its window. The first comes
// alone, and the last ones do, so that the threshold is seen exactly.
func (x *experiment) waves(ctx context.Context) error {
	left := x.spec.waveCalls()
	if left == 0 {
		return nil
	}
	if err := x.callOnce(ctx); err != nil { // it meets the connection that is open from before
		return err
	}
	for left--; left > 0; {
		n := min(left, x.spec.Load.MaxConcurrency)
		began := x.now()
		if err := x.together(ctx, n); err != nil {
			return err
		}
		if err := x.look(ctx); err != nil {
			return err
		}
		left -= n
		if err := sleep(ctx, max(tripPause, time.Duration(n)*x.spec.perCall()-(x.now()-began))); err != nil {
			return err
		}
	}
	return x.attempts(ctx)
}

// waveCalls is how many failures may be made at the same time; 0 if all come alone.
func (s *Spec) waveCalls() int {
	n := s.declares(s.heldAtMost()).Failures / (1 + s.Breaker.Retries)
	if s.lives() {
		return 0 // each is told by the packets that it sends
	}
	if n <= mostAlone && !s.tooSlowAlone(n) {
		return 0
	}
	return max(n-lastAlone, 0)
}

// lives says that connections live on under the scenario's faults.
func (s *Spec) lives() bool {
	return slices.ContainsFunc(s.faults, func(f faults.Fault) bool { _, queued := f.(faults.Queued); return queued })
}

// heldAtMost is how many successes the breaker's window holds when the outage begins.
func (s *Spec) heldAtMost() int {
	if n := s.Breaker.Window.calls; n > 0 {
		return n
	}
	return 1
}

// tooSlowAlone says that n failures, one after another, do not fit well into the
// breaker's window.
func (s *Spec) tooSlowAlone(n int) bool {
	w := s.Breaker.Window.time
	return w > 0 && time.Duration(n)*s.perFailure() > w*6/10
}

// spreads is how often failures are spread over the window: twice, so that wherever the
// edges of a fixed one lie, they fall between the failures once.
const spreads = 2

// anchored is how long before the failures a window may have begun: they lie on both
// sides of its end.
func anchored(w time.Duration) time.Duration { return w * 11 / 20 }

// spread spreads the failures that open the breaker over most of its window. A window
// with fixed edges counts some of them before and some after, and does not open.
func (x *experiment) spread(ctx context.Context) error {
	w := x.spec.Breaker.Window.time
	if w == 0 || !x.spec.does(extraSpread) || x.phase() != "recovered" || x.lives {
		return nil
	}
	x.goOn()
	defer x.runner.Hold(x.spec.WhileOpen...)()
	var first time.Duration
	for n := range spreads {
		if n > 0 { // the other half of the window's phases
			since := (x.now() + w + anchored(w) - first) % w
			if err := sleep(ctx, (w/2-since+w)%w); err != nil {
				return err
			}
		}
		// A window may begin with its first call: here, well before the failures.
		if _, err := x.level(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, anchored(w)); err != nil {
			return err
		}
		first = x.now()
		x.enter("closed")
		if err := x.spreadOnce(ctx); err != nil {
			return err
		}
		if err := x.recovers(ctx); err != nil || x.phase() != "recovered" {
			return err
		}
	}
	return nil
}

// spreadOnce makes as many failures as open the breaker, over three quarters of its
// window, and then a few more calls.
func (x *experiment) spreadOnce(ctx context.Context) error {
	d := x.declares()
	n := d.Failures + d.Slack
	x.mu.Lock()
	x.obs.Spread = append(x.obs.Spread, verdict.Span{})
	x.mu.Unlock()
	if err := x.arm(ctx, &x.obs.Spread[len(x.obs.Spread)-1]); err != nil {
		return err
	}
	start, gap := x.now(), x.spec.Breaker.Window.time*3/4/time.Duration(max(n-1, 1))
	x.note("%d failures, spread over %v of a window of %v", n, time.Duration(n-1)*gap, x.spec.Breaker.Window.time)
	for i := range n {
		if err := x.sleepUntil(ctx, start+time.Duration(i)*gap); err != nil {
			return err
		}
		if err := x.callOnce(ctx); err != nil {
			return err
		}
	}
	for range 3 {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
	}
	if err := x.look(ctx); err != nil {
		return err
	}
	return x.heal(ctx)
}
