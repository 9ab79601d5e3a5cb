package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// leastCalls is how many calls while open are enough to judge them.
const leastCalls = 10

// quietWhileOpen: while the breaker is open no call reaches the dependency. Distinct
// attempts are counted, not packets: the kernel goes on repeating the SYNs of calls
// that were made before it opened.
func quietWhileOpen(d Declared, o *Observed) Property {
	p := Property{Expected: "0 connection attempts while open"}
	span, t, tripped := shouldBeOpen(d, o)
	p.Span = span
	calls := o.calls(span)
	reached := o.caused(d, calls, Span{o.nextCall(span.Start), span.End})
	_, full, _ := row(d, o) // a belated attempt makes the breaker look as if it opened later
	why := blind(d, o)
	p.Observed = fmt.Sprintf("%d attempts in %d calls over %s", len(reached), len(calls), round(span.Length()))
	switch {
	case d.OpenFor == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", notDeclared(d, o)
	case why != "":
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", "Attempts could not be counted: "+why+"."
	case o.Survive && o.carried(d, calls) > 0:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("%d of %d calls waited for the dependency, over %s", o.carried(d, calls), len(calls), round(span.Length()))
		p.Detail = fmt.Sprintf("While the breaker was open %d calls sent packets to the dependency and waited for it as long as while it was closed.", o.carried(d, calls))
	case o.Survive && o.metIn(span) > 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("packets of %d in %d calls over %s", o.metIn(span), len(calls), round(span.Length()))
		p.Detail = "Connections survive this fault and carried packets: whether these were calls cannot be told from outside. Use drop or reject."
	case len(reached) == 0 && len(calls) < leastCalls:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls while open", len(calls))
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", leastCalls)
	case len(reached) == 0:
		p.Detail = "No call reached the dependency while the breaker was open."
	case !d.real(o, t, reached) || !d.real(o, full, reached):
		p.Verdict, p.Detail = Inconclusive, "The machine was so short of CPU that calls from before may have reached the dependency only then."
	case d.Background > 0 && float64(len(reached)) <= d.chance(busy(calls)) && len(calls) >= leastCalls:
		p.Detail = "No more attempts came while the breaker was open than the declared background explains."
	case float64(len(reached)) <= d.noise(span):
		p.Verdict, p.Detail = Inconclusive, "The declared background hides whether a call reached the dependency."
	case !tripped:
		p.Verdict = Fail
		p.Detail = "Calls went on reaching the dependency when the breaker should have been open."
	default:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("A call reached the dependency %s after the breaker opened; it is declared to stay open for %s.", round(reached[0]-span.Start), d.OpenFor)
	}
	return p
}

// carried is how many calls reached the dependency where connections live on: the fault
// met packets of them, they took as long as those do that wait for it, and they did not get
// the answer of an open breaker. A machine short of CPU makes an answer late, not another.
func (o *Observed) carried(d Declared, calls []Call) (n int) {
	for _, c := range calls {
		met := c.Met || o.during(o.window(c)) > 0
		if met && o.Waits > 0 && c.Took >= o.Waits && c.Outcome != Rejected && (d.Answer || c.Starved < c.Took/2) {
			n++
		}
	}
	return n
}

// caused are the attempts in a span, without those that the declared background may have
// made between calls.
func (o *Observed) caused(d Declared, calls []Call, s Span) (out []time.Duration) {
	for _, a := range o.Attempts {
		if s.Has(a) && (d.Background == 0 || duringACall(calls, a)) {
			out = append(out, a)
		}
	}
	return out
}

// duringACall leaves out what came between calls: background that is declared.
func duringACall(calls []Call, at time.Duration) bool {
	return slices.ContainsFunc(calls, func(c Call) bool { return Span{c.At, c.At + c.Took + late}.Has(at) })
}

// busy is how long calls were under way together.
func busy(calls []Call) (sum time.Duration) {
	for _, c := range calls {
		sum += c.Took + late
	}
	return sum
}

// chance is how many attempts the declared background explains easily in some time.
func (d Declared) chance(t time.Duration) float64 {
	if d.Background == 0 {
		return 0
	}
	mean := d.Background * t.Seconds()
	return mean + 2*math.Sqrt(mean) + 1
}

// noise is how many attempts in a span the declared background explains: more than
// these do not happen by chance.
func (d Declared) noise(s Span) float64 {
	if d.Background == 0 {
		return 0
	}
	mean := d.Background * s.Length().Seconds()
	return mean + 5*math.Sqrt(mean) + 3
}
