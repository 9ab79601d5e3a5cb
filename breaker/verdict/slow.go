package verdict

import "fmt"

// slowCallsCount: calls that are slow open the breaker as failures do.
func slowCallsCount(d Declared, o *Observed) Property {
	if d.SlowCall == 0 {
		return Property{Verdict: Skipped, Detail: "No slow call is declared."}
	}
	p := Property{Expected: fmt.Sprintf("opens after %d calls slower than %s", d.SlowCalls, d.SlowCall), Span: o.Slowed}
	if o.Slowed.Length() == 0 {
		p.Verdict, p.Detail = Inconclusive, "Calls were not made slow: the run ended before, or its limit is too short for it."
		return p
	}
	slow, failed, fast := 0, 0, 0
	for _, c := range o.calls(o.Slowed) {
		switch {
		case c.Slow:
			slow++
			fast = 0
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
		p.Detail = fmt.Sprintf("%d calls in a row took longer than %s and it stayed closed: it does not see slow calls.", slow, d.SlowCall)
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
