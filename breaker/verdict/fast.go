package verdict

import "fmt"

// failsFast: while the breaker is open every answer comes at once.
func failsFast(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("answers within %s while open", d.FailsFastIn)}
	span, tripped := shouldBeOpen(d, o)
	p.Span = span
	calls := o.calls(span)
	switch {
	case d.OpenFor == 0:
		p.Verdict, p.Detail = Inconclusive, "The open time is not declared. Declare breaker.open_for."
		return p
	case tripped && len(calls) < leastCalls, len(calls) == 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls while open", len(calls))
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", leastCalls)
		return p
	}
	slowest := Slowest(calls)
	p.Observed = fmt.Sprintf("slowest of %d answers %s", len(calls), round(slowest.Took))
	switch {
	case slowest.Took <= d.FailsFastIn:
		p.Detail = "Callers got their answer at once while the dependency was away."
	case tripped:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("An answer took %s although the breaker was open: something else on the path waits.", round(slowest.Took))
	default:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("Every call waited for the dependency, up to %s, since the breaker was not open.", round(slowest.Took))
	}
	return p
}
