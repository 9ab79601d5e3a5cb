package verdict

import (
	"fmt"
	"slices"
	"time"
)

// notStuck: a probe that gets no answer, or whose caller has left, does not keep the
// breaker from trying again.
func notStuck(d Declared, o *Observed) Property {
	t, tripped := FindTrip(d, o)
	if !tripped {
		return Property{Verdict: Skipped, Detail: "The breaker was not seen to open, so it could not get stuck."}
	}
	_, most := d.Opens(openings(d, o, t))
	within := most + d.CallTimeout + d.RecoversIn
	p := Property{Expected: fmt.Sprintf("tries again within %s of healing", within), Span: Span{o.Armed.End, o.Ended}}
	if o.Armed.End == 0 {
		p.Verdict, p.Detail, p.Span = Inconclusive, "The run ended before the fault was healed.", Span{o.Ended, o.Ended}
		return p
	}
	at, again := o.triedAgain(d)
	watched := o.Ended - o.Armed.End
	switch {
	case o.overslept(d, t) > 0:
		p.Verdict, p.Expected, p.Span = Fail, "tries again when its declared open time is over", Span{t.At, max(o.Probe.End, o.Vain.End)}
		p.Observed = fmt.Sprintf("let nobody through for %s more", round(o.overslept(d, t)))
		p.Detail = fmt.Sprintf("It stays open for at least %s longer than declared.", round(o.overslept(d, t)))
	case again:
		p.End = at
		p.Observed = fmt.Sprintf("tried again after %s", round(at-o.Armed.End))
		p.Detail = "It tried the dependency again by itself."
	case d.OpenFor == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, fmt.Sprintf("did not try again in %s", round(watched)), notDeclared(d, o)
	case watched < within:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("watched for %s after healing", round(watched))
		p.Detail = "The run ended before the breaker had its time to try again."
	default:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("did not try again in %s", round(watched))
		p.Detail = "It never tried again, although its open time was over. " + o.stuckIn()
	}
	return p
}

// triedAgain is when something reached the dependency first after healing. A call over
// a connection that was open before leaves no attempt: its outcome tells of it.
func (o *Observed) triedAgain(d Declared) (at time.Duration, ok bool) {
	after := Span{o.Armed.End, o.Ended + 1}
	if i := slices.IndexFunc(o.Attempts, after.Has); i >= 0 {
		at, ok = o.Attempts[i], true
	}
	for _, c := range o.healedCalls() {
		if c.Outcome == Success || c.Outcome == Failed && (d.waited(c) || o.hides(d)) {
			if !ok || c.At < at {
				at, ok = c.At, true
			}
			break
		}
	}
	return at, ok
}

// stuckIn says in which state it is stuck.
func (o *Observed) stuckIn() string {
	switch {
	case o.Left.Length() > 0 && o.during(o.Left) > 0:
		return "The last probe was a call whose caller left before the answer: it seems to wait for that probe for ever."
	case o.during(o.Probe) > 0:
		return "The last probe got no answer: it seems to wait for that probe for ever, half open."
	}
	return "It never was half open."
}

// triedByItself says that something reached the dependency when the breaker had to try
// again, and no call did: it has a probe of its own, which opened it anew. Where
// background is declared, that may have come while the calls did.
func (o *Observed) triedByItself(d Declared) bool {
	t, _ := FindTrip(d, o)
	least, _ := d.Opens(1)
	return least > 0 && len(o.passed(d, o.Probe)) == 0 && o.during(Span{t.At + least*9/10, o.Probe.End}) > 0 &&
		(o.during(o.Probe) == 0 || o.Noisy && !slices.ContainsFunc(o.all(o.Probe), d.maybeThrough))
}

// maybeThrough says that a call may have been let through: it was not turned away at once.
func (d Declared) maybeThrough(c Call) bool {
	return d.Answer && (c.Outcome != Rejected || c.Took >= d.FailsFastIn)
}

// overslept is by how much longer than declared the breaker stayed open, the first or the
// second time, while calls came to try again with; 0 if not by much.
func (o *Observed) overslept(d Declared, t Trip) time.Duration {
	through := func(c Call) bool { return c.Outcome == Success }
	if o.Due == 0 || o.Probe.Length() == 0 || o.triedByItself(d) || slices.ContainsFunc(o.all(Span{o.Due, o.fault().End}), through) {
		return 0
	}
	first := o.Probe.Start
	waited, late := o.waited(d, o.all(o.Probe))
	if !o.reachedIn(d, o.Probe) && (!o.Survive || waited+late == 0) {
		first = o.Probe.End // still not
	}
	_, most := d.Opens(1)
	if late := first - o.Due; late > o.tolerance(most, Span{o.Due, first})+t.Starved {
		return late
	}
	_, most = d.Opens(2)
	if late := o.Vain.Length(); late > o.tolerance(most, o.Vain) && !o.reachedIn(d, o.Vain) {
		return late
	}
	return 0
}

// tolerance is by how much an open time may seem longer than it is.
func (o *Observed) tolerance(open time.Duration, s Span) time.Duration {
	return max(open/4, 300*time.Millisecond) + o.longestStarved(s)
}

// longestStarved is for how long at most a call in a span waited for a core.
func (o *Observed) longestStarved(s Span) (longest time.Duration) {
	for _, c := range o.all(s) {
		longest = max(longest, c.Starved)
	}
	return longest
}
