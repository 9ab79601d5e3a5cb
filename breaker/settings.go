package breaker

import (
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
)

// The defaults of Settings.
const (
	DefaultFailures      = 5
	DefaultOpenFor       = 30 * time.Second
	DefaultHalfOpenCalls = 1
)

// most is the largest count that Settings accept.
const most = 1_000_000

// Settings say when a breaker opens and how it closes again. A zero field is its default.
type Settings struct {
	// Name tells breakers apart wherever they are shown: most often the dependency. Required.
	Name string
	// Failures is how many calls in a row must fail to open the breaker: at exactly
	// this one it opens. 1 to 1,000,000; default 5.
	Failures int
	// OpenFor is how long no call is let through once it has opened; default 30s.
	OpenFor time.Duration
	// HalfOpenCalls is how many calls are let through at once after that, and how many
	// must succeed to close it. The first failure opens it again. 1 to 1,000,000; default 1.
	HalfOpenCalls int
	// CallTimeout is the longest a call may take: its context ends then, and if it has
	// not come back it has failed, even if it ignores its context. Default none; a probe
	// that has not come back after OpenFor has failed all the same, or it would block
	// the breaker for ever.
	CallTimeout time.Duration
	// Failed tells whether a call that ended with err counts as a failure of the
	// dependency; err is not nil. Default: every error does.
	Failed func(err error) bool
	// OnTransition is told of every change of state, one after the other in order, from
	// the goroutine of some call and outside every lock: it may use the breaker. That
	// call waits for it, and a probe is made only when it has been told of half-open.
	OnTransition func(Transition)
}

func (s Settings) withDefaults() Settings {
	if s.Failures == 0 {
		s.Failures = DefaultFailures
	}
	if s.OpenFor == 0 {
		s.OpenFor = DefaultOpenFor
	}
	if s.HalfOpenCalls == 0 {
		s.HalfOpenCalls = DefaultHalfOpenCalls
	}
	if s.Failed == nil {
		s.Failed = func(error) bool { return true }
	}
	if s.OnTransition == nil {
		s.OnTransition = func(Transition) {}
	}
	return s
}

func (s Settings) validate() error {
	switch {
	case s.Name == "":
		return fmt.Errorf("breaker: name: got none, want the name of the dependency")
	case s.Failures < 1 || s.Failures > most:
		return fmt.Errorf("breaker %s: failures: got %d, want 1 to %d", s.Name, s.Failures, most)
	case s.HalfOpenCalls < 1 || s.HalfOpenCalls > most:
		return fmt.Errorf("breaker %s: half-open calls: got %d, want 1 to %d", s.Name, s.HalfOpenCalls, most)
	case s.OpenFor < 0:
		return fmt.Errorf("breaker %s: open for: got %v, want more than 0s", s.Name, s.OpenFor)
	case s.CallTimeout < 0:
		return fmt.Errorf("breaker %s: call timeout: got %v, want more than 0s, or 0s for none", s.Name, s.CallTimeout)
	}
	return nil
}

// trips is the rule by which the breaker opens. It is asked after each failure of a
// closed breaker, under gobreaker's lock.
func (s Settings) trips() func(gobreaker.Counts) bool {
	return func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= s.Failures }
}
