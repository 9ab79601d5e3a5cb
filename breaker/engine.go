package breaker

import (
	"fmt"

	"github.com/sony/gobreaker/v2"
)

// engine returns what makes gobreaker ours. It keeps the state, the count of failures
// and of successes in a row, and tells the results of an earlier state from those of
// this one; the window hangs into its question whether a call succeeded, which it
// asks of each result of this state, and under its lock.
//
// All functions here run under that lock: they note, and tell nobody.
func (b *Breaker) engine() gobreaker.Settings {
	return gobreaker.Settings{
		Name:         b.settings.Name,
		MaxRequests:  uint32(b.settings.HalfOpenSuccesses), //nolint:gosec // validated
		Timeout:      shortest(b.settings),
		IsExcluded:   func(err error) bool { return markOf(err) == gone },
		IsSuccessful: func(err error) bool { return b.succeeded(markOf(err)) },
		ReadyToTrip:  b.trips,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			b.change(stateOf(from), stateOf(to))
		},
	}
}

// succeeded counts a call in the window. gobreaker looks at the rules for opening only
// after a failure, so whatever makes a rate too high is told as one.
func (b *Breaker) succeeded(m mark) bool {
	if b.State() == HalfOpen {
		b.cause = probeCause(m, b.settings)
		return m == good
	}
	b.cause = b.window.add(m)
	return !m.failed() && b.cause == ""
}

// trips is asked after each failure of a closed breaker.
func (b *Breaker) trips(c gobreaker.Counts) bool {
	if b.cause == "" && b.settings.Failures > 0 && int(c.ConsecutiveFailures) >= b.settings.Failures {
		b.cause = "a call failed"
		if n := c.ConsecutiveFailures; n > 1 {
			b.cause = fmt.Sprintf("%d failures in a row", n)
		}
	}
	return b.cause != ""
}

func (b *Breaker) change(from, to State) {
	switch to {
	case HalfOpen:
		b.cause = "its open time was over"
	case Closed:
		b.cause = "its probe succeeded"
		if n := b.settings.HalfOpenSuccesses; n > 1 {
			b.cause = fmt.Sprintf("%d probes succeeded in a row", n)
		}
	case Open:
	}
	b.window.clear()
	b.journal.add(from, to, b.cause)
	b.cause = ""
}

// probeCause says why a probe opens the breaker again.
func probeCause(m mark, s Settings) string {
	switch m {
	case lost:
		return fmt.Sprintf("a probe did not come back within %v", s.ProbeTimeout)
	case slow, badSlow:
		return fmt.Sprintf("a probe took more than %v", s.SlowCall)
	case bad:
		return "a probe failed"
	case good, gone:
	}
	return ""
}
