package verdict

import (
	"fmt"
	"time"
)

// tripsAtThreshold: under the fault, exactly the declared number of calls reaches the
// dependency, and then no more.
func tripsAtThreshold(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("opens after %d failed calls in a row", d.Failures), Span: o.fault()}
	t, tripped := FindTrip(o)
	under := len(o.calls(o.fault()))
	switch why := blind(d, o); {
	case d.Failures == 0:
		p.Expected = "opens after some failures"
		p.Verdict, p.Detail = Inconclusive, "The threshold is not declared. Declare breaker.failures."
		if tripped {
			p.Observed = fmt.Sprintf("opened after %d", t.Attempts)
		}
		return p
	case why != "":
		p.Verdict, p.Detail = Inconclusive, "Attempts could not be counted: "+why+"."
		return p
	case !tripped && under < d.Failures+quietCalls:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls under the fault", under)
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", d.Failures+quietCalls)
		return p
	case !tripped:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("did not open: %d of %d calls reached the dependency", o.during(o.fault()), under)
		p.Detail = fmt.Sprintf("The breaker never opened in %d failed calls. Is there one on this path, and does it count timeouts as failures?", under)
		return p
	}
	p.End = t.At
	p.Observed = fmt.Sprintf("opened after %d, %s after the fault began", t.Attempts, round(t.At-o.Armed.Start))
	allowed := d.Failures * (1 + d.Retries)
	switch {
	case t.Attempts < d.Failures:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened too early: after %d failed calls instead of %d.", t.Attempts, d.Failures)
	case t.Attempts > allowed:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened too late: %d attempts reached the dependency, at most %d may.", t.Attempts, allowed)
	default:
		p.Detail = fmt.Sprintf("After %d failed calls nothing more was tried.", t.Attempts)
	}
	return p
}

func round(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
