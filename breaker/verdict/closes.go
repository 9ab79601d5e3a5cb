package verdict

import (
	"cmp"
	"fmt"
	"time"
)

// steadyCalls is how many successes in a row show that the breaker is closed again.
const steadyCalls = 5

// FirstClose finds when calls succeeded again first after the fault was healed: the
// end of the first success of a row that is long enough.
func FirstClose(o *Observed) (at time.Duration, ok bool) {
	row := 0
	for _, c := range o.healedCalls() {
		if c.Outcome != Success {
			row = 0
			continue
		}
		if row++; row == 1 {
			at = c.At + c.Took
		}
		if row == steadyCalls {
			return at, true
		}
	}
	return 0, false
}

// findClose is FirstClose if the breaker stayed closed: else when it closed for good.
// Only the answer of an open breaker says otherwise; a failure is then one of the service.
func findClose(o *Observed) (at time.Duration, ok bool) {
	row := 0
	for _, c := range o.healedCalls() {
		switch {
		case c.Outcome == Success:
			if row++; row == 1 {
				at = c.At + c.Took
			}
		case c.Outcome == Rejected || row < steadyCalls:
			row = 0
		}
	}
	return at, row >= steadyCalls
}

func (o *Observed) healedCalls() []Call {
	if o.Armed.End == 0 {
		return nil
	}
	return o.calls(Span{o.Armed.End, o.Ended + 1})
}

// closesOnSuccess: after healing, the breaker lets calls through again within its
// open time, one call and the declared recovery time.
func closesOnSuccess(d Declared, all *Observed) Property {
	o := all.before(all.nextRound())
	t, tripped := FindTrip(d, o)
	if !tripped {
		return Property{Verdict: Skipped, Detail: "The breaker was not seen to open, so there was nothing to close."}
	}
	_, openFor := d.Opens(openings(d, o, t))
	if _, most, ok := OpenTime(o, t); openFor == 0 && ok {
		openFor = most
	}
	within := openFor + d.CallTimeout + d.RecoversIn
	p := Property{Expected: fmt.Sprintf("calls succeed again within %s of healing", within), Span: Span{o.Armed.End, o.Ended}}
	if o.Armed.End == 0 {
		p.Verdict, p.Detail, p.Span = Inconclusive, "The run ended before the fault was healed.", Span{o.Ended, o.Ended}
		return p
	}
	at, closed := findClose(o)
	took, watched := at-o.Armed.End, o.Ended-o.Armed.End
	switch {
	case !closed && watched < within:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("watched for %s after healing", round(watched))
		p.Detail = "The run ended before the breaker had its time to close."
	case !closed && openFor == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, fmt.Sprintf("calls did not succeed again in %s", round(watched)), "The open time is not declared. Declare breaker.open_for."
	case (!closed || took > within) && o.starved(p.Span) > watched/4:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("the machine was short of CPU for %s of %s", round(o.starved(p.Span)), round(watched))
		p.Detail = "This machine was too busy to tell a stuck breaker from calls that failed for want of CPU."
	case (!closed || took > within) && o.broughtBack(d, cmp.Or(at, o.Ended)) > 0 && cmp.Or(at, o.Ended)-o.broughtBack(d, cmp.Or(at, o.Ended)) <= within:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("tried again %s after healing, and that failed", round(o.broughtBack(d, cmp.Or(at, o.Ended))-o.Armed.End))
		p.Detail = "The breaker let calls through after healing, and they failed: it seems that the service's own connection was not back, as gRPC's is late by its pauses. Declare recovers_in for that."
	case !closed:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("calls did not succeed again in %s", round(watched))
		p.Detail = "The dependency is reachable again and the breaker keeps calls from it: it is stuck."
	case took > within:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("calls succeeded again after %s", round(took))
		p.Detail = fmt.Sprintf("It closed %s later than declared.", round(took-within))
	case closesEarly(&p, d, all):
	default:
		p.End = at
		p.Observed = fmt.Sprintf("calls succeeded again after %s", round(took))
		p.Detail = "The breaker closed by itself once the dependency was back."
	}
	return p
}

// broughtBack is when the last call ended that was let through after healing and failed
// without an attempt of its own, before some time; 0 if there was none. The breaker is
// right to be open after that.
func (o *Observed) broughtBack(d Declared, before time.Duration) (at time.Duration) {
	for _, c := range o.healedCalls() {
		if c.At < before && c.Outcome == Failed && (d.waited(c) || o.hides(d)) && o.during(o.window(c)) == 0 {
			at = c.At + c.Took
		}
	}
	return at
}

// starved is how much of the calls in a span the machine was short of CPU.
func (o *Observed) starved(s Span) (sum time.Duration) {
	for _, c := range o.calls(s) {
		sum += c.Starved
	}
	return sum
}

// closesEarly says that fewer successes than declared closed the breaker: when the
// dependency went away again after them, it took as many failures to open as while closed.
func closesEarly(p *Property, d Declared, all *Observed) bool {
	if all.Again.Length() == 0 || d.Failures == 0 {
		return false
	}
	t, tripped := FindTrip(d, all.under(all.Again))
	if !tripped || t.Calls < d.Failures || t.Starved > all.Again.Length()/2 {
		return false
	}
	p.Verdict, p.Span = Fail, all.Again
	p.Observed = fmt.Sprintf("closed after fewer than %d successes", d.HalfOpenSuccesses)
	p.Detail = fmt.Sprintf("After fewer than %d successes %d failed calls reached the dependency, as many as while it is closed: it closes too early.", d.HalfOpenSuccesses, t.Calls)
	return true
}
