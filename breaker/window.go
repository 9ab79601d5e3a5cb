package breaker

import (
	"fmt"
	"sync"
	"time"
)

// A tally is what the calls of some time came to.
type tally struct{ calls, failures, slow uint32 }

func (t *tally) add(o tally) {
	t.calls += o.calls
	t.failures += o.failures
	t.slow += o.slow
}

func (t *tally) sub(o tally) {
	t.calls -= o.calls
	t.failures -= o.failures
	t.slow -= o.slow
}

// A span holds the calls that count: those of some time, or the last so many. now is
// the time since the breaker was made.
type span interface {
	add(t tally, now time.Duration) tally // and the sum after it
	sum(now time.Duration) tally
	clear()
}

// A window judges the rates of the calls it holds. Its lock may be taken under
// gobreaker's, never the other way round.
type window struct {
	failureRate, slowRate float64
	slowCall              time.Duration
	minCalls              uint32
	start                 time.Time

	mu    sync.Mutex
	calls span
}

// newWindow returns nil if no rule asks for a rate.
func newWindow(s Settings, start time.Time) *window {
	if !s.rates() {
		return nil
	}
	w := &window{
		failureRate: s.FailureRate, slowRate: s.SlowRate, slowCall: s.SlowCall,
		minCalls: uint32(s.MinCalls), start: start, //nolint:gosec // validated
	}
	if s.WindowCalls > 0 {
		w.calls = &lastCalls{ring: make([]tally, 0, s.WindowCalls)}
	} else {
		w.calls = newLastTime(s.Window)
	}
	return w
}

// add counts a call and returns why the breaker has to open, or "". A success may
// tell so too: it may be the call that was missing to the minimum, or a slow one.
func (w *window) add(m mark) (why string) {
	if w == nil {
		return ""
	}
	t := tally{calls: 1}
	if m.failed() {
		t.failures = 1
	}
	if m.isSlow() || m == lost && w.slowCall > 0 {
		t.slow = 1
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.judge(w.calls.add(t, w.now()))
}

// judge divides, because the quotient of two whole numbers is the nearest float to the
// decimal someone wrote, and the product of a float is not.
func (w *window) judge(t tally) (why string) {
	if t.calls < w.minCalls {
		return ""
	}
	n := float64(t.calls)
	if r := float64(t.failures) / n; w.failureRate > 0 && r >= w.failureRate {
		return fmt.Sprintf("%d of %d calls failed, limit %.4g%%", t.failures, t.calls, 100*w.failureRate)
	}
	if r := float64(t.slow) / n; w.slowRate > 0 && r >= w.slowRate {
		return fmt.Sprintf("%d of %d calls took more than %v, limit %.4g%%", t.slow, t.calls, w.slowCall, 100*w.slowRate)
	}
	return ""
}

func (w *window) sum() tally {
	if w == nil {
		return tally{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls.sum(w.now())
}

func (w *window) clear() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls.clear()
}

func (w *window) now() time.Duration { return time.Since(w.start) }
