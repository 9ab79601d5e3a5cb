package verdict

import "fmt"

// failsFast: while the breaker is open every answer comes at once.
func failsFast(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("answers within %s while open", d.FailsFastIn)}
	span, _, tripped := shouldBeOpen(d, o)
	p.Span = span
	calls, starved := fit(d, o, span)
	slowest := Slowest(calls)
	late := slowest.Took > d.FailsFastIn
	p.Observed = fmt.Sprintf("slowest of %d answers %s", len(calls), round(slowest.Took))
	if starved > 0 {
		p.Observed += fmt.Sprintf("; %d more not judged, the machine was short of CPU", starved)
	}
	switch {
	case d.OpenFor == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", notDeclared(d, o)
	case late && tripped:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("An answer took %s although the breaker was open: something else on the path waits.", round(slowest.Took))
	case late && o.during(span) > 0:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("Every call waited for the dependency, up to %s, since the breaker was not open.", round(slowest.Took))
	case len(calls) < leastCalls && !tripped && o.Doubt != "":
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", notSeen(o)
	case len(calls) < leastCalls && starved > 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d of %d answers were late on a machine short of CPU", starved, len(calls)+starved)
		p.Detail = "This machine was too busy to tell a slow answer from a late look. Run it where there is CPU to spare."
	case len(calls) < leastCalls:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls while open", len(calls))
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", leastCalls)
	case late:
		p.Verdict, p.Detail = Inconclusive, "Answers were slow, and it could not be seen whether the breaker was open."
	default:
		p.Detail = "Callers got their answer at once while the dependency was away."
	}
	return p
}

// notSeen says why it is not known when the breaker was open.
func notSeen(o *Observed) string {
	return "It could not be seen when the breaker was open, since attempts could not be counted: " + o.Doubt + "."
}

// wakes is how often an answer waits for a core on its way: at the service that takes
// the call, where it is decided, and at the one who asked.
const wakes = 4

// fit returns the calls in a span that say something of an open breaker. One that
// reached the dependency after the span became the half-open probe, and waited for
// that. A late answer that reached nobody, on a machine that was short of CPU for half
// of the time by which it was late, says nothing either, if that is no longer than this
// program waited for a core a few times: to blame the breaker would be a false alarm.
func fit(d Declared, o *Observed, span Span) (calls []Call, starved int) {
	for _, c := range o.calls(span) {
		w := o.window(c)
		tried := o.during(w)
		if tried > 0 && o.during(Span{span.End, w.End}) > 0 {
			continue
		}
		over := c.Took - d.FailsFastIn
		if over > 0 && c.Starved >= over/2 && over <= wakes*o.Jolt && float64(tried) <= d.chance(w.Length()) {
			starved++
			continue
		}
		calls = append(calls, c)
	}
	return calls, starved
}
