package verdict

import (
	"fmt"
	"slices"
	"time"
)

// failsFast: while the breaker is open every answer comes at once.
func failsFast(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("answers within %s while open", d.FailsFastIn)}
	span, _, tripped := shouldBeOpen(d, o)
	p.Span = span
	calls, excused := fit(d, o, span)
	starved := len(excused)
	slowest := Slowest(calls)
	late := slowest.Took > d.FailsFastIn
	p.Observed = fmt.Sprintf("slowest of %d answers %s", len(calls), round(slowest.Took))
	if starved > 0 {
		p.Observed += fmt.Sprintf("; %d more not judged, the machine was short of CPU", starved)
	}
	switch {
	case d.OpenFor == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", notDeclared(d, o)
	case asleep(d, excused) > 0:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("several answers took %s", round(asleep(d, excused)))
		p.Detail = "Several answers took the same long time: that is no want of CPU, something waits."
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
	case o.kept(d) > 0:
		p.Verdict, p.Span, p.Observed = Fail, o.Probe, fmt.Sprintf("callers waited up to %s", round(o.kept(d)))
		p.Detail = fmt.Sprintf("While its probe was under way, callers who were turned away waited up to %s for that.", round(o.kept(d)))
	default:
		p.Detail = "Callers got their answer at once while the dependency was away."
	}
	return p
}

// asleep is how long several of the late answers took alike; 0 if they did not. Want of
// CPU scatters, and who sleeps does not.
func asleep(d Declared, late []Call) time.Duration {
	const alike = 5
	took := make([]time.Duration, len(late))
	for i, c := range late {
		took[i] = c.Took
	}
	slices.Sort(took)
	for i := 0; i+alike <= len(took); i++ {
		if took[i] > 3*d.FailsFastIn && took[i+alike-1]-took[i] <= took[i]/30 {
			return took[i]
		}
	}
	return 0
}

// kept is how long the slowest of those took that came together with the half-open probe
// and were not let through, if that is far too long for want of CPU; else 0.
func (o *Observed) kept(d Declared) time.Duration {
	calls := o.all(o.Probe)
	slices.SortFunc(calls, func(a, b Call) int { return int(b.Took - a.Took) })
	admitted := max(o.during(o.Probe), d.HalfOpenCalls)
	if len(calls) <= admitted {
		return 0
	}
	c := calls[admitted]
	patience := 2 * wakes * o.Jolt
	if asleep(d, calls[admitted:]) > 0 { // all alike, as want of CPU seldom has it
		patience /= 2
	}
	if c.Took > 4*d.FailsFastIn && c.Starved < c.Took/2 && c.Took > patience {
		return c.Took
	}
	return 0
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
func fit(d Declared, o *Observed, span Span) (calls, excused []Call) {
	for _, c := range o.calls(span) {
		w := o.window(c)
		tried := o.during(w)
		if tried > 0 && o.during(Span{span.End, w.End}) > 0 {
			continue
		}
		over := c.Took - d.FailsFastIn
		if over > 0 && c.Starved >= over/2 && over <= wakes*o.Jolt && float64(tried) <= d.chance(w.Length()) {
			excused = append(excused, c)
			continue
		}
		calls = append(calls, c)
	}
	return calls, excused
}
