package verdict

import "fmt"

// retryDiscipline: while the breaker is closed, one call tries the dependency no more
// often than declared.
func retryDiscipline(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("at most %d attempts a call", 1+d.Retries), Span: o.fault()}
	if d.Retries == 0 {
		p.Expected = "at most 1 attempt a call"
	}
	t, tripped := FindTrip(d, o)
	if tripped {
		p.End = t.At
	}
	var calls, attempts, most int
	for _, s := range []Span{o.Tried, {p.Start, p.End + 1}} {
		for _, c := range o.calls(s) {
			if o.busy(d.WhileOpen, o.window(c)) > 0 {
				continue // its attempts may be those of a journey
			}
			n := o.during(o.window(c))
			if n > 0 {
				calls++
			}
			attempts, most = attempts+n, max(most, n)
		}
	}
	p.Observed = fmt.Sprintf("%d attempts in %d calls, at most %d in one", attempts, calls, most)
	over := float64(attempts - calls*(1+d.Retries))
	switch why := blind(d, o); {
	case calls == 0 && o.Survive:
		p.Verdict, p.Observed, p.Detail = Skipped, "", "Connections survive this fault, so a retry needs no attempt that could be counted."
	case why != "":
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", "Attempts could not be counted: "+why+"."
	case calls == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", "No call made an attempt while the breaker was closed."
	case most <= 1+d.Retries:
		p.Detail = "No call tried more often than declared."
	case over <= d.noise(Span{p.Start, p.End}):
		p.Detail = "No call tried more often than declared and background explain."
	case over <= 0:
		p.Verdict, p.Detail = Inconclusive, "A call seems to have tried more often than declared, another less: the machine may have been too busy to tell them apart."
	default:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("One call tried the dependency %d times, at most %d are declared: retries multiply the load on a dependency in trouble.", most, 1+d.Retries)
	}
	return p
}
