package verdict

import "fmt"

// failsFast: while the breaker is open every answer comes at once.
func failsFast(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("answers within %s while open", d.FailsFastIn)}
	span, tripped := shouldBeOpen(d, o)
	p.Span = span
	calls, starved := fit(d, o, span)
	switch {
	case d.OpenFor == 0:
		p.Verdict, p.Detail = Inconclusive, "The open time is not declared. Declare breaker.open_for."
		return p
	case tripped && len(calls) < leastCalls && starved > 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d of %d answers were late on a machine short of CPU", starved, len(calls)+starved)
		p.Detail = "This machine was too busy to tell a slow answer from a late look. Run it where there is CPU to spare."
		return p
	case tripped && len(calls) < leastCalls, len(calls) == 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls while open", len(calls))
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", leastCalls)
		return p
	}
	slowest := Slowest(calls)
	p.Observed = fmt.Sprintf("slowest of %d answers %s", len(calls), round(slowest.Took))
	if starved > 0 {
		p.Observed += fmt.Sprintf("; %d more not judged, the machine was short of CPU", starved)
	}
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

// fit returns the calls in a span whose time says something of the service. A late
// answer that reached nobody, on a machine that was short of CPU for as long as it was
// late, does not: blaming the breaker for it would be a false alarm.
func fit(d Declared, o *Observed, span Span) (calls []Call, starved int) {
	for _, c := range o.calls(span) {
		late := c.Took - d.FailsFastIn
		if late > 0 && c.Starved >= late && o.during(Span{c.At, c.At + c.Took}) == 0 {
			starved++
			continue
		}
		calls = append(calls, c)
	}
	return calls, starved
}
