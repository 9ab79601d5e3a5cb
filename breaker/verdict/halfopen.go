package verdict

import "fmt"

// halfOpenLimit: when the open time is over, of many calls that come together only the
// declared number is let through to the dependency. Where the fault refuses calls at
// once, the first probe has failed before another call comes: those that hang tell.
func halfOpenLimit(d Declared, all *Observed) Property {
	p := limited(d, all.before(all.nextRound()))
	if all.Crowd.Length() == 0 || p.Verdict == Fail {
		return p
	}
	if crowd := limited(d, Crowded(all)); crowd.Verdict == Fail || crowd.Verdict == Pass {
		return crowd
	}
	return p
}

// Crowded is what was seen of the time in which calls hung that had been refused.
func Crowded(o *Observed) *Observed {
	other := o.under(o.Hung)
	other.Probe = o.Crowd
	return other
}

// limited judges the calls that came together.
func limited(d Declared, o *Observed) Property {
	admitted := d.HalfOpenCalls * (1 + d.Retries)
	p := Property{Expected: fmt.Sprintf("at most %d of the calls that come together", d.HalfOpenCalls), Span: o.Probe}
	if d.Retries > 0 {
		p.Expected += fmt.Sprintf(", with %d attempts", admitted)
	}
	calls := len(o.all(o.Probe))
	byTime := o.Survive && o.Waits > 0
	passed := o.passed(d, o.Probe)
	n, late := o.admitted(d, passed)
	switch why := blind(d, o); {
	case o.Probe.Length() == 0:
		p.Verdict, p.Detail = Inconclusive, unprobed(d, o)
	case calls <= d.HalfOpenCalls:
		p.Verdict, p.Observed = Skipped, fmt.Sprintf("%d calls came together", calls)
		p.Detail = fmt.Sprintf("As many calls as came together may be let through. To see a limit of %d, load.max_concurrency must be more.", d.HalfOpenCalls)
	case o.Survive && !byTime:
		p.Verdict, p.Detail = Inconclusive, "Connections survive this fault, so calls need no attempt that could be counted. Use drop or reject."
	case why != "" && !byTime:
		p.Verdict, p.Detail = Inconclusive, "Attempts could not be counted: "+why+"."
	case n <= admitted && n+late > admitted:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d of %d calls were late", n+late, calls)
		p.Detail = "The machine was so short of CPU that calls which were turned away may have been as late as those that waited for the dependency."
	case n == 0 && o.triedByItself(d):
		p.Verdict, p.Detail = Skipped, "It tried by itself, and not with a call."
	case n == 0:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("0 of %d calls reached the dependency", calls)
		p.Detail = "It let nobody through, so it was not seen half open."
	case n > admitted && float64(n-admitted) <= d.chance(o.Probe.Length()):
		p.Observed = fmt.Sprintf("%d attempts of %d calls", n, calls)
		p.Detail = "In half open no more attempts came than its probes and the declared background explain."
	case n > admitted && float64(n-admitted) <= d.noise(o.Probe):
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d attempts of %d calls", n, calls)
		p.Detail = "The declared background hides how many calls were let through."
	case n > admitted && o.cameBack(d):
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d of %d calls reached the dependency", min(n, calls), calls)
		p.Detail = "The dependency was back when the breaker tried again, so it may have closed for the rest of them."
	case n > admitted && len(passed) > 0 && patient(d, passed) <= admitted:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d of %d calls were not turned away as declared", n, calls)
		p.Detail = "These calls failed at once and tried nothing that could be seen: they were let through to a connection that was not back, or turned away with another answer than the declared one."
	case n > admitted:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("%d of %d calls reached the dependency", min(n, calls), calls)
		p.Detail = fmt.Sprintf("In half open %d of %d calls reached the dependency; at most %d may. Limit the calls that are let through at once.", min(n, calls), calls, d.HalfOpenCalls)
	default:
		p.Observed = fmt.Sprintf("%d of %d calls reached the dependency", n, calls)
		p.Detail = "In half open it let through its probes and nobody else."
	}
	return p
}

// admitted is how many of the calls that came together reached the dependency, and of how
// many more it cannot be told. Of a service that hides what it tries, those that passed
// tell and not their attempts; where connections live on, who waits for the dependency has
// reached it.
func (o *Observed) admitted(d Declared, passed []Call) (n, late int) {
	switch {
	case len(passed) > 0:
		return len(passed), 0
	case o.Survive && o.Waits > 0:
		return o.waited(d, o.all(o.Probe))
	}
	return o.during(o.Probe), 0
}

// cameBack says that as many of the calls that came together succeeded as close it.
func (o *Observed) cameBack(d Declared) bool {
	good := 0
	for _, c := range o.all(o.Probe) {
		if c.Outcome == Success && !c.Slow {
			good++
		}
	}
	return d.Answer && good >= max(1, d.HalfOpenSuccesses)
}

// unprobed says why the breaker was not seen half open.
func unprobed(d Declared, o *Observed) string {
	switch _, tripped := FindTrip(d, o); {
	case !tripped:
		return "The breaker was not seen to open, so it could not be half open."
	case d.OpenFor == 0:
		return notDeclared(d, o)
	}
	return "The run ended before the breaker was half open."
}
