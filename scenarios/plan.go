package scenarios

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// openCallEvery is the pause between calls while the breaker is open.
const openCallEvery = 50 * time.Millisecond

// tripCalls is how many calls may be made under the fault before the breaker is taken
// not to open at all.
func (s *Spec) tripCalls() int {
	n := s.Breaker.Failures * (1 + s.Breaker.Retries)
	if n == 0 {
		n = 20
	}
	return max(3*n, n+10)
}

// watchTime is how long the checks that must stay well while open may take together.
func (s *Spec) watchTime() time.Duration {
	if len(s.WhileOpen) == 0 {
		return 0
	}
	return 20 * time.Second
}

// openFor is the time for which the open breaker is watched.
func (s *Spec) openFor() time.Duration {
	if s.Breaker.OpenFor > 0 {
		return s.Breaker.OpenFor
	}
	return 5 * time.Second
}

// recovery is how long the breaker may take to close after healing.
func (s *Spec) recovery() time.Duration {
	return s.openFor() + s.Breaker.CallTimeout + s.RecoverIn
}

// need is the time that the whole plan takes at most.
func (s *Spec) need() time.Duration {
	patience := s.Breaker.CallTimeout + 50*time.Millisecond
	need := s.Baseline.Idle + time.Duration(s.Baseline.Calls)*min(s.Baseline.P99, s.Target.HTTP.Timeout) +
		time.Duration(s.tripCalls())*patience + 2*s.openFor() + s.watchTime() + s.recovery()
	return need.Round(time.Second)
}

// WritePlan says what a run would do; it changes nothing.
func (s *Spec) WritePlan(w io.Writer) {
	fmt.Fprintf(w, "scenario %s: %s\n", s.Name, s.Summary)
	fmt.Fprintf(w, "  target    %s %s\n", s.Target.HTTP.Method, s.Target.HTTP.URL)
	for _, f := range s.faults {
		fmt.Fprintf(w, "  fault     %s %s, at most until the limit of %v\n", f.Kind(), f.Target(), s.Limit)
	}
	fmt.Fprintf(w, "  1 idle       %v without a call: attempts that no call causes are counted\n", s.Baseline.Idle)
	fmt.Fprintf(w, "  2 baseline   %d calls, %.0f%% must succeed, p99 at most %v\n", s.Baseline.Calls, 100*s.Baseline.Success, s.Baseline.P99)
	fmt.Fprintf(w, "  3 closed     the fault is armed; calls one after another until none reaches the dependency (at most %d)\n", s.tripCalls())
	fmt.Fprintf(w, "  4 open       a call every %v for %v; none may reach the dependency\n", s.pause(), s.openFor())
	if len(s.WhileOpen) > 0 {
		fmt.Fprintf(w, "               then until each of %s has run once\n", strings.Join(s.WhileOpen, ", "))
	}
	fmt.Fprintf(w, "  5 half-open  the fault is healed; calls until they succeed again, at most %v\n", s.recovery())
	fmt.Fprintf(w, "  6 recovered  calls succeed; the fault's rules are removed\n")
	fmt.Fprintf(w, "  needs %v at most, limit %v\n", s.need(), s.Limit)
}

// pause is the time between calls while the breaker is open, below the declared rate.
func (s *Spec) pause() time.Duration {
	return max(openCallEvery, time.Duration(float64(time.Second)/float64(s.Load.MaxRate)))
}
