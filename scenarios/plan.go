package scenarios

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/faults"
)

const (
	openLooks   = 40                    // calls in the open time, if the rate allows
	mostPause   = 50 * time.Millisecond // between two calls
	leastPause  = 5 * time.Millisecond  // between two calls
	tripPause   = 20 * time.Millisecond // between calls under the fault, so that attempts are told apart
	settleCalls = 5                     // before the fault, until one succeeds
	leastLooks  = 12                    // calls while open, of which the verdict needs 10
	overhead    = 2 * time.Second       // for rules and the last runs of checks
	undeclared  = 10 * time.Second      // for which an open time is watched that is not declared
)

// tripCalls is how many calls may be made under the fault before the breaker is taken
// not to open at all.
func (s *Spec) tripCalls() int {
	if s.Breaker.Failures == 0 {
		return 20
	}
	return s.Breaker.Failures + 10
}

// firstLooks is how long the named checks may take together for their first run.
func (s *Spec) firstLooks() time.Duration {
	if len(s.watched()) == 0 {
		return 0
	}
	return 10 * time.Second
}

// watchTime is how long the fault is kept for checks that must stay well under it.
func (s *Spec) watchTime() time.Duration {
	if len(s.WhileOpen)+len(s.Isolated) == 0 {
		return 0
	}
	return 20 * time.Second
}

// openFor is the time for which the open breaker is watched.
func (s *Spec) openFor() time.Duration {
	if s.Breaker.OpenFor > 0 {
		return s.Breaker.OpenFor
	}
	return undeclared
}

// recovery is how long the breaker may take to close after healing.
func (s *Spec) recovery() time.Duration {
	return s.openFor() + s.Breaker.CallTimeout + s.RecoverIn
}

// patience is the longest that one call takes under the fault.
func (s *Spec) patience() time.Duration {
	return min(s.Breaker.CallTimeout*time.Duration(1+s.Breaker.Retries), s.Target.HTTP.Timeout) + mostPause
}

// need is the time that the whole plan takes at most.
func (s *Spec) need() time.Duration {
	well := max(min(s.Baseline.P99, s.Target.HTTP.Timeout), s.pause())
	need := s.Baseline.Idle + time.Duration(s.Baseline.Calls+settleCalls)*well + s.firstLooks() +
		time.Duration(s.tripCalls())*max(s.patience(), s.perCall()) + s.openFor() + s.watchTime() +
		s.recovery() + time.Duration(s.Baseline.Calls)*s.pause() + overhead
	return (need + time.Second - 1).Truncate(time.Second)
}

// perCall is the least time between the begins of two calls, by the declared rate.
func (s *Spec) perCall() time.Duration {
	return time.Duration(float64(time.Second) / float64(s.Load.MaxRate))
}

// pause is the time between calls, below the declared rate.
func (s *Spec) pause() time.Duration {
	return max(min(s.openFor()/openLooks, mostPause), leastPause, s.perCall())
}

// WritePlan says what a run would do; it changes nothing.
func (s *Spec) WritePlan(w io.Writer) {
	fmt.Fprintln(w, strings.TrimSuffix(fmt.Sprintf("scenario %s: %s", s.Name, s.Summary), ": "))
	fmt.Fprintf(w, "  target    %s %s\n", s.Target.HTTP.Method, s.Target.HTTP.URL)
	for _, f := range s.faults {
		how := fmt.Sprintf("at most until the limit of %v", s.Limit)
		switch {
		case faults.Irreversible(f):
			how = "IRREVERSIBLE: nothing heals it but whoever supervises the processes"
		case !faults.Breaks(f):
			how = "which breaks nothing and counts"
		}
		fmt.Fprintf(w, "  fault     %s %s, %s\n", f.Kind(), f.Target(), how)
	}
	fmt.Fprintf(w, "  1 idle       %v without a call: attempts that no call causes are counted\n", s.Baseline.Idle)
	fmt.Fprintf(w, "  2 baseline   %d calls, %.0f%% must succeed, p99 at most %v\n", s.Baseline.Calls, 100*s.Baseline.Success, s.Baseline.P99)
	fmt.Fprintf(w, "  3 closed     the fault is armed; calls one after another until none reaches the dependency (at most %d)\n", s.tripCalls())
	if s.Breaker.OpenFor > 0 {
		fmt.Fprintf(w, "  4 open       a call every %v for %v; none may reach the dependency\n", s.pause(), s.openFor()*9/10)
	} else {
		fmt.Fprintf(w, "  4 open       a call every %v until one reaches the dependency, for at most %v\n", s.pause(), s.openFor()*9/10)
	}
	if names := slices.Concat(s.WhileOpen, s.Isolated); len(names) > 0 {
		fmt.Fprintf(w, "               then until each of %s has run once, at most %v\n", strings.Join(names, ", "), s.watchTime())
	}
	fmt.Fprintf(w, "  5 half-open  the fault is healed; calls until they succeed again, at most %v\n", s.recovery())
	fmt.Fprintf(w, "  6 recovered  calls succeed; the fault's rules are removed\n")
	fmt.Fprintf(w, "  needs %v at most, limit %v\n", s.need(), s.Limit)
}
