package breaker

import (
	"context"
	"time"
)

// The defaults of Settings.
const (
	DefaultFailures      = 5
	DefaultOpenFor       = 30 * time.Second
	DefaultHalfOpenCalls = 1
	DefaultMinCalls      = 20
	DefaultWindow        = 10 * time.Second
	DefaultSlowRate      = 1.0
)

// Settings say when a breaker opens and how it closes again. A zero field is its
// default. Of the rules that open it (Failures, FailureRate, SlowCall) the first that
// is met does; a breaker to which none is given opens at DefaultFailures.
type Settings struct {
	// Name tells breakers apart wherever they are shown: most often the dependency.
	// Required, but for the template of a [Group], which names its breakers itself.
	Name string

	// Failures is how many calls in a row must fail to open the breaker: at exactly
	// this one it opens. 1 to 1,000,000; default 5, or no such rule if there is another.
	Failures int
	// FailureRate is the share of the calls in the window that must fail to open the
	// breaker: more than 0, at most 1. Default no such rule.
	FailureRate float64
	// SlowCall is the time beyond which a call is slow, whether it fails or not. A
	// probe that is slow has failed. Default no such rule.
	SlowCall time.Duration
	// SlowRate is the share of the calls in the window that must be slow to open the
	// breaker: more than 0, at most 1; default 1. It needs SlowCall.
	SlowRate float64
	// MinCalls is how many calls must be in the window before a rate counts: 1 to
	// 1,000,000; default 20, or WindowCalls if that is less.
	MinCalls int
	// Window is how long a call counts in the rates, to within 1/32 more. 32ns or more;
	// default 10s.
	Window time.Duration
	// WindowCalls makes the window the last so many calls instead: 1 to 1,000,000.
	WindowCalls int

	// OpenFor is how long no call is let through once it has opened; default 30s.
	OpenFor time.Duration
	// OpenFactor is by how much longer it stays open each time a probe fails; it
	// starts anew once it has closed. 1 to 100; default 1.
	OpenFactor float64
	// OpenMax is the longest open time, before jitter: what OpenFactor grows to, and
	// how far a dependency's own Retry-After is obeyed. At least OpenFor; default
	// OpenFor, or ten times that with an OpenFactor.
	OpenMax time.Duration
	// OpenJitter is the share by which an open time is made longer or shorter at
	// random, so that replicas do not probe together. 0 to 0.9; default 0.
	OpenJitter float64
	// HalfOpenCalls is how many calls are let through at once after that. The first
	// that fails opens it again. 1 to 1,000,000; default 1.
	HalfOpenCalls int
	// HalfOpenSuccesses is how many of them must succeed in a row to close it: at
	// least HalfOpenCalls, which is the default, at most 1,000,000.
	HalfOpenSuccesses int
	// ProbeTimeout is when a probe that has not come back has failed, or it would keep
	// the breaker half open for ever. Default CallTimeout, or else OpenFor.
	ProbeTimeout time.Duration

	// CallTimeout is the longest a call may take: its context ends then, and if it has
	// not come back it has failed, even if it ignores its context. Default none.
	CallTimeout time.Duration
	// MaxConcurrency is how many calls may be under way at once; one more ends with a
	// [*FullError], which is no failure. 1 to 1,000,000; default no limit.
	MaxConcurrency int

	// Classify says what the end of a call tells of the dependency; ctx is the one
	// that its caller gave. It is called outside every lock. Default [Classify]. If a
	// failure's error has a method RetryAfter() time.Duration, a breaker that opens
	// because of it stays open as long, within OpenMax.
	Classify func(ctx context.Context, err error) Outcome
	// OnTransition is told of every change of state, one after the other in order and
	// outside every lock: it may use the breaker. It runs in the goroutine of some call,
	// which waits for it, or of the timer that counts a call as lost.
	OnTransition func(Transition)
}

func (s Settings) withDefaults() Settings {
	orInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	if s.FailureRate == 0 && s.SlowCall == 0 {
		orInt(&s.Failures, DefaultFailures)
	} else {
		if s.SlowCall != 0 && s.SlowRate == 0 {
			s.SlowRate = DefaultSlowRate
		}
		if s.WindowCalls == 0 {
			orTime(&s.Window, DefaultWindow)
			orInt(&s.MinCalls, DefaultMinCalls)
		} else {
			orInt(&s.MinCalls, min(DefaultMinCalls, s.WindowCalls))
		}
	}
	orTime(&s.OpenFor, DefaultOpenFor)
	if s.OpenFactor == 0 {
		s.OpenFactor = 1
	}
	if s.OpenFactor > 1 {
		orTime(&s.OpenMax, 10*s.OpenFor)
	}
	orTime(&s.OpenMax, s.OpenFor)
	orInt(&s.HalfOpenCalls, DefaultHalfOpenCalls)
	orInt(&s.HalfOpenSuccesses, s.HalfOpenCalls)
	orTime(&s.ProbeTimeout, s.CallTimeout)
	orTime(&s.ProbeTimeout, s.OpenFor)
	if s.Classify == nil {
		s.Classify = Classify
	}
	if s.OnTransition == nil {
		s.OnTransition = func(Transition) {}
	}
	return s
}

// rates reports whether a rule needs the window.
func (s Settings) rates() bool { return s.FailureRate > 0 || s.SlowCall > 0 }
