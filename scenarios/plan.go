package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	openLooks   = 100                   // calls in the open time, if the rate allows
	mostPause   = 50 * time.Millisecond // between two calls
	leastPause  = 5 * time.Millisecond  // between two calls
	tripPause   = 20 * time.Millisecond // between calls under the fault, so that attempts are told apart
	settleCalls = 5                     // before the fault, until one succeeds
	leastLooks  = 12                    // calls while open, of which the verdict needs 10
	overhead    = 2 * time.Second       // for rules and the last runs of checks
	undeclared  = 10 * time.Second      // for which an open time is watched that is not declared
)

// tripCalls is how many calls may be made one after another under the fault before the
// breaker is taken not to open at all.
func (s *Spec) tripCalls() int {
	n := s.Breaker.trips()
	switch {
	case n == 0:
		return 20
	case s.waveCalls() > 0:
		n -= s.waveCalls()
	}
	return n + 10
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
	if most := s.opens(1); most > 0 {
		return most
	}
	return undeclared
}

// recovery is how long the breaker may take to close after healing: its probes may have
// failed before, and made its open time longer.
func (s *Spec) recovery() time.Duration {
	return max(s.openFor(), s.opens(4)) + s.Breaker.CallTimeout + s.RecoverIn
}

// perFailure is the longest time between the begins of two calls under the fault.
func (s *Spec) perFailure() time.Duration { return max(s.patience()+tripPause, s.perCall()) }

// patience is the longest that one call takes under the fault.
func (s *Spec) patience() time.Duration {
	return min(s.Breaker.CallTimeout*time.Duration(1+s.Breaker.Retries), s.Target.timeout()) + mostPause
}

// A stage is a part of the plan: what is done in it and how long it takes at most.
type stage struct {
	phase string
	text  string
	most  time.Duration
	extra string // its name, if it is left out where the limit is too short for it
}

// The stages that are left out where the limit is too short for them.
const (
	extraBelow   = "below"
	extraLeave   = "leave"
	extraRelapse = "relapse"
	extraEarly   = "early"
	extraHerd    = "herd"
	extraAging   = "aging"
	extraSpread  = "spread"
	extraSlow    = "slow"
)

// stages is what a run does, in its order, as far as its limit allows: and what is left
// out for want of time.
func (s *Spec) stages() (done, left []stage) {
	all := s.allStages()
	rest := s.Limit - overhead
	for _, st := range all {
		if st.extra == "" {
			rest -= st.most
		}
	}
	fits := map[string]bool{"": true}
	for _, last := range []bool{false, true} { // what no property depends on alone comes last
		for _, st := range all {
			if st.extra != "" && st.doubles() == last && st.most <= rest {
				fits[st.extra] = true
				rest -= st.most
			}
		}
	}
	for _, st := range all {
		if fits[st.extra] {
			done = append(done, st)
		} else {
			left = append(left, st)
		}
	}
	return done, left
}

// doubles says that a stage looks closer at what others have looked at.
func (st stage) doubles() bool {
	return slices.Contains([]string{extraRelapse, extraHerd, extraAging}, st.extra)
}

// does says that the limit leaves time for a stage.
func (s *Spec) does(extra string) bool {
	done, _ := s.stages()
	return slices.ContainsFunc(done, func(st stage) bool { return st.extra == extra })
}

// allStages is what a run does if its limit allows, in its order.
func (s *Spec) allStages() []stage {
	b, l := s.Breaker, s.Baseline
	well := max(min(l.P99, s.Target.timeout()), s.pause())
	var out []stage
	extra := func(name, phase string, most time.Duration, format string, args ...any) {
		out = append(out, stage{phase, fmt.Sprintf(format, args...), most, name})
	}
	add := func(phase string, most time.Duration, format string, args ...any) {
		extra("", phase, most, format, args...)
	}
	if len(s.Setup) > 0 {
		add("idle", s.setupTime(), "setup: %s", s.stepText(s.Setup))
	}
	add("idle", l.Idle, "%v without a call: attempts that no call causes are counted", l.Idle)
	if warm := s.Load.WarmUp; warm > 0 {
		add("baseline", warm, "calls for %v that nobody judges", warm)
	}
	add("baseline", time.Duration(l.Calls)*well+s.firstLooks(), "%d calls, %.4g%% must succeed, p99 at most %v", l.Calls, 100*l.Success, l.P99)
	if n := s.belowCalls(); n > 0 {
		extra(extraBelow, "closed", settleCalls*well+time.Duration(n)*s.perFailure()+s.recovery()+s.forgets(), "the fault is armed for %d calls, one fewer than open the breaker, and healed; calls until one succeeds", n)
	}
	add("closed", s.levels(well), "%s", s.levelText())
	add("closed", s.trippingTime(), "the fault is armed; calls until none reaches the dependency (at most %d%s)", s.trippingCalls(), s.inWaves())
	if b.OpenFor.First > 0 {
		add("open", s.openFor(), "a call every %v for %v; none may reach the dependency", s.pause(), (s.openLeast(1) * 9 / 10).Round(time.Millisecond))
	} else {
		add("open", s.openFor(), "a call every %v until one reaches the dependency, for at most %v", s.pause(), s.openFor()*9/10)
	}
	add("half-open", s.openFor()*6/10+b.CallTimeout+time.Second, "%d calls at the same moment, when the breaker has to try again; at most %d may reach the dependency", s.burstCalls(), b.HalfOpenCalls)
	if b.OpenFor.First > 0 {
		again := min(s.openLeast(2)*9/10, mostAgain)
		add("open", again, "a call every %v for %v: the failed probe must have opened it again", s.pause(), again.Round(time.Millisecond))
	}
	if names := slices.Concat(s.WhileOpen, s.Isolated); len(names) > 0 {
		add("half-open", s.watchTime(), "the fault stays until each of %s has run under it", strings.Join(names, ", "))
	}
	if s.leaves() {
		extra(extraLeave, "half-open", s.opens(2)*3/2+time.Second+2*b.CallTimeout, "a caller leaves while the breaker tries again with its call")
	}
	add("half-open", s.recovery(), "the fault is healed; calls until they succeed again")
	add("recovered", time.Duration(l.Calls)*s.pause(), "%d more calls", l.Calls)
	if s.relapses() && !s.triesHerd() {
		extra(extraRelapse, "closed", s.opens(1)+time.Duration(b.Failures)*s.perFailure()+s.relapseTime(),
			"it is opened again; as soon as it has closed, the fault is armed for %d calls, one fewer than open it", s.belowCalls())
	}
	if s.triesEarly() {
		extra(extraEarly, "closed", 2*s.opens(1)+settleCalls*well+time.Duration(2*b.Failures+4)*s.perFailure()+time.Second+s.forgets()+s.recovery(),
			"the fault is armed for %d calls, healed for %d success(es) of the %d that close the breaker, and armed for %d more", b.Failures, b.HalfOpenSuccesses-1, b.HalfOpenSuccesses, b.Failures+3)
	}
	if s.triesHerd() {
		extra(extraHerd, "half-open", s.forgets()+s.levels(well)+s.trippingTime()+s.opens(1)*8/5+b.CallTimeout+time.Second+s.relapseTime(),
			"calls hang that were refused, until it opens; %d calls at the same moment, when it has to try again; then it is healed and recovers", s.burstCalls())
	}
	if n := s.agingCalls(); n > 0 {
		extra(extraAging, "closed", s.levels(well)+time.Duration(n+2)*s.perFailure()+s.aged()+s.recovery()+time.Duration(l.Calls)*s.pause(),
			"the fault is armed for %d calls, one fewer than open the breaker; nobody calls for %v, which is longer than its window; then 2 more, of which the first may not open it", n, s.aged())
	}
	if w := b.Window.time; w > 0 {
		each := s.levels(well) + w*5/2 + s.patience() + s.recovery() + time.Duration(l.Calls)*s.pause()
		extra(extraSpread, "closed", spreads*each, "%d times: the failures that open the breaker, spread over %v of its window of %v; then it is healed and recovers", spreads, w*3/4, w)
	}
	if s.slows() {
		extra(extraSlow, "closed", s.slowingTime(well), "answers of the dependency are made late, so that calls take %v and then %v, at most %d each; then it is healed and recovers", s.quickFor(), s.slowFor(), s.slowCalls())
	}
	return out
}

func (s *Spec) levels(well time.Duration) time.Duration {
	return s.Breaker.Window.time + time.Duration(s.Breaker.Window.calls)*max(well/10, s.pause()) + settleCalls*well
}

func (s *Spec) levelText() string {
	switch w := s.Breaker.Window; {
	case w.time > 0:
		return fmt.Sprintf("%v without a call, so that the breaker's window is empty; then a call until one succeeds", w.time)
	case w.calls > 0:
		return fmt.Sprintf("%d calls, so that the breaker's window is full of successes", w.calls)
	}
	return "a call until one succeeds, so that the breaker counts from nothing"
}

// trippingCalls is how many calls are made under the fault at most until it is certain
// whether the breaker opens.
func (s *Spec) trippingCalls() int { return s.waveCalls() + s.tripCalls() }

func (s *Spec) trippingTime() time.Duration {
	n := s.waveCalls()
	waves := (n + s.Load.MaxConcurrency - 1) / s.Load.MaxConcurrency
	return time.Duration(waves)*s.patience() + time.Duration(n)*s.perCall() + time.Duration(s.tripCalls())*s.perFailure()
}

func (s *Spec) inWaves() string {
	if n := s.waveCalls(); n > 0 {
		return fmt.Sprintf(", the first %d of them up to %d at a time", n, s.Load.MaxConcurrency)
	}
	return ""
}

// need is the time that the plan takes at most, without what may be left out.
func (s *Spec) need() time.Duration { return sum(s.allStages(), false) }

// needAll is the time that the whole plan takes at most.
func (s *Spec) needAll() time.Duration { return sum(s.allStages(), true) }

func sum(stages []stage, extras bool) time.Duration {
	need := overhead
	for _, st := range stages {
		if st.extra == "" || extras {
			need += st.most
		}
	}
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
