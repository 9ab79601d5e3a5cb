package breaker

import (
	"fmt"
	"time"
)

// The widest ranges that Settings accept.
const (
	most        = 1_000_000
	longest     = 365 * 24 * time.Hour
	mostFactor  = 100.0
	mostJitter  = 0.9
	leastWindow = windowParts * time.Nanosecond
)

// validate tells what is out of range; s has its defaults.
func (s Settings) validate() error {
	if s.Name == "" {
		return fmt.Errorf("breaker: name: got none, want the name of the dependency")
	}
	for _, check := range []func() error{s.validateCalls, s.validateRules, s.validateOpen} {
		if err := check(); err != nil {
			return fmt.Errorf("breaker %s: %w", s.Name, err)
		}
	}
	return nil
}

// The rules by which it opens.
func (s Settings) validateRules() error {
	switch {
	case s.Failures < 0 || s.Failures > most:
		return fmt.Errorf("failures: got %d, want 1 to %d", s.Failures, most)
	case !(s.FailureRate >= 0 && s.FailureRate <= 1):
		return fmt.Errorf("failure rate: got %v, want more than 0, at most 1", s.FailureRate)
	case s.SlowCall < 0 || s.SlowCall > longest:
		return fmt.Errorf("slow call: got %v, want more than 0s, at most %v", s.SlowCall, longest)
	case !(s.SlowRate >= 0 && s.SlowRate <= 1):
		return fmt.Errorf("slow rate: got %v, want more than 0, at most 1", s.SlowRate)
	case s.SlowRate > 0 && s.SlowCall == 0:
		return fmt.Errorf("slow rate: got %v and no slow call, want both", s.SlowRate)
	case s.CallTimeout > 0 && s.SlowCall >= s.CallTimeout:
		return fmt.Errorf("slow call: got %v, want less than the call timeout, %v", s.SlowCall, s.CallTimeout)
	case !s.rates():
		return s.validateNoRates()
	case s.WindowCalls < 0 || s.WindowCalls > most:
		return fmt.Errorf("window calls: got %d, want 1 to %d", s.WindowCalls, most)
	case s.WindowCalls > 0 && s.Window != 0:
		return fmt.Errorf("window: got %v and %d calls, want one of the two", s.Window, s.WindowCalls)
	case s.WindowCalls == 0 && (s.Window < leastWindow || s.Window > longest):
		return fmt.Errorf("window: got %v, want %v to %v", s.Window, leastWindow, longest)
	case s.MinCalls < 1 || s.MinCalls > most:
		return fmt.Errorf("min calls: got %d, want 1 to %d", s.MinCalls, most)
	case s.WindowCalls > 0 && s.MinCalls > s.WindowCalls:
		return fmt.Errorf("min calls: got %d, want at most the window, %d calls", s.MinCalls, s.WindowCalls)
	}
	return nil
}

func (s Settings) validateNoRates() error {
	if s.Window != 0 || s.WindowCalls != 0 || s.MinCalls != 0 {
		return fmt.Errorf("window, window calls, min calls: got them without a failure rate or a slow call, want one of these")
	}
	return nil
}

// How it opens, and closes again.
func (s Settings) validateOpen() error {
	switch {
	case s.OpenFor < 0 || s.OpenFor > longest:
		return fmt.Errorf("open for: got %v, want more than 0s, at most %v", s.OpenFor, longest)
	case !(s.OpenFactor >= 1 && s.OpenFactor <= mostFactor):
		return fmt.Errorf("open factor: got %v, want 1 to %v", s.OpenFactor, mostFactor)
	case s.OpenMax < s.OpenFor || s.OpenMax > 10*longest:
		return fmt.Errorf("open max: got %v, want at least open for, %v, at most %v", s.OpenMax, s.OpenFor, 10*longest)
	case !(s.OpenJitter >= 0 && s.OpenJitter <= mostJitter):
		return fmt.Errorf("open jitter: got %v, want 0 to %v", s.OpenJitter, mostJitter)
	case s.HalfOpenCalls < 1 || s.HalfOpenCalls > most:
		return fmt.Errorf("half-open calls: got %d, want 1 to %d", s.HalfOpenCalls, most)
	case s.HalfOpenSuccesses < s.HalfOpenCalls || s.HalfOpenSuccesses > most:
		return fmt.Errorf("half-open successes: got %d, want at least half-open calls, %d, at most %d",
			s.HalfOpenSuccesses, s.HalfOpenCalls, most)
	case s.ProbeTimeout < 0 || s.ProbeTimeout > longest:
		return fmt.Errorf("probe timeout: got %v, want more than 0s, at most %v", s.ProbeTimeout, longest)
	}
	return nil
}

// What one call is held to.
func (s Settings) validateCalls() error {
	switch {
	case s.CallTimeout < 0 || s.CallTimeout > longest:
		return fmt.Errorf("call timeout: got %v, want more than 0s, at most %v, or 0s for none", s.CallTimeout, longest)
	case s.MaxConcurrency < 0 || s.MaxConcurrency > most:
		return fmt.Errorf("max concurrency: got %d, want 1 to %d, or 0 for no limit", s.MaxConcurrency, most)
	}
	return nil
}
