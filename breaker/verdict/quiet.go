package verdict

import (
	"fmt"
	"slices"
)

// quietWhileOpen: while the breaker is open no call reaches the dependency. Distinct
// attempts are counted, not packets: the kernel goes on repeating the SYNs of calls
// that were made before it opened.
func quietWhileOpen(d Declared, o *Observed) Property {
	p := Property{Expected: "0 connection attempts while open"}
	span, tripped := shouldBeOpen(d, o)
	p.Span = span
	calls := len(o.calls(span))
	switch why := blind(d, o); {
	case d.OpenFor == 0:
		p.Verdict, p.Detail = Inconclusive, "The open time is not declared. Declare breaker.open_for."
		return p
	case why != "":
		p.Verdict, p.Detail = Inconclusive, "Attempts could not be counted: "+why+"."
		return p
	case calls < leastCalls && o.during(span) == 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls while open", calls)
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", leastCalls)
		return p
	}
	n := o.during(span)
	p.Observed = fmt.Sprintf("%d attempts in %d calls over %s", n, calls, round(span.Length()))
	switch {
	case n == 0:
		p.Detail = "No call reached the dependency while the breaker was open."
	case !tripped:
		p.Verdict = Fail
		p.Detail = "Calls went on reaching the dependency when the breaker should have been open."
	default:
		first := o.Attempts[slices.IndexFunc(o.Attempts, span.Has)]
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("A call reached the dependency %s after the breaker opened; it is declared to stay open for %s.", round(first-span.Start), d.OpenFor)
	}
	return p
}

// leastCalls is how many calls while open are enough to judge them.
const leastCalls = 10
