package verdict

import (
	"fmt"
	"time"
)

// slowCallsCount: calls that are slow open the breaker as failures do.
func slowCallsCount(d Declared, o *Observed) Property {
	if d.SlowCall == 0 {
		return Property{Verdict: Skipped, Detail: "No slow call is declared."}
	}
	p := Property{Expected: fmt.Sprintf("opens after %d calls slower than %s", d.SlowCalls, d.SlowCall), Span: o.Slowed}
	if o.hasty(&p, d) {
		return p
	}
	if o.Slowed.Length() == 0 {
		p.Verdict, p.Detail = Inconclusive, "Calls were not made slow: the run ended before, or its limit is too short for it."
		return p
	}
	slow, failed, fast := 0, 0, 0
	took := time.Duration(0) // the shortest of the slow ones
	for _, c := range o.calls(o.Slowed) {
		switch {
		case c.Slow:
			slow++
			fast = 0
			if took == 0 || c.Took < took {
				took = c.Took
			}
		case c.Outcome == Rejected || c.Took < d.SlowCall:
			fast++
		default:
			failed++
		}
		if fast == quietCalls && slow > 0 {
			break
		}
	}
	p.Observed = fmt.Sprintf("opened after %d slow calls", slow)
	switch {
	case failed > slow:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls failed", failed)
		p.Detail = "Calls failed instead of being slow: is the service's call_timeout shorter than declared?"
	case slow == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "no call was slow", "The slow answers of the dependency did not make calls slow."
	case fast < quietCalls && slow > d.SlowCalls+d.Slack:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("did not open in %d slow calls", slow)
		p.Detail = fmt.Sprintf("%d calls in a row took %s or longer, from %s on they are slow, and it stayed closed: it does not see slow calls.", slow, round(took), d.SlowCall)
	case fast < quietCalls:
		p.Verdict, p.Observed, p.Detail = Inconclusive, fmt.Sprintf("%d slow calls", slow), "Too few slow calls to tell."
	case slow > d.SlowCalls+d.Slack+1:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened only after %d slow calls, %d are declared.", slow, d.SlowCalls)
	default:
		p.Detail = "Slow calls opened it."
	}
	return p
}

// hasty says that calls opened the breaker which were late and not slow. They took no
// longer in the service than here, so that a busy machine cannot be to blame. It may have
// made others slow: where calls count in a row, those since the last quick one are too few.
func (o *Observed) hasty(p *Property, d Declared) bool {
	inARow := d.Window == 0 && d.Trips == "" && d.SlowCalls == d.Failures
	for _, c := range o.all(Span{o.Later, o.Quick.Start}) {
		if c.Slow && !inARow {
			return false // it may count still
		}
	}
	late, slow, turned, longest := 0, 0, 0, time.Duration(0)
	for _, c := range o.calls(o.Quick) {
		switch {
		case c.Outcome == Success && turned == 0 && !c.Slow:
			late, slow = late+1, 0
			longest = max(longest, c.Took)
		case c.Outcome == Success && turned == 0 && inARow:
			slow++
		case c.Outcome == Rejected && d.Answer:
			turned++
		default: // failed, let through meanwhile, or not to be told apart
			return false
		}
	}
	if late == 0 || turned < quietCalls || slow > 0 && slow >= d.SlowCalls {
		return false
	}
	p.Verdict, p.Span = Fail, o.Quick
	p.Observed = fmt.Sprintf("opened after %d calls of at most %s", late, round(longest))
	p.Detail = fmt.Sprintf("%d calls that took at most %s counted as slow and opened it; only from %s on they are declared to be.", late, round(longest), d.SlowCall)
	if slow > 0 {
		p.Detail = fmt.Sprintf("It opened after %d slow calls, %d are declared: those of at most %s before counted as slow too.", slow, d.SlowCalls, round(longest))
	}
	return true
}
