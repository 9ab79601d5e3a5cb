package verdict

import (
	"fmt"
	"strings"
	"time"
)

// tripsAtThreshold: under the fault, exactly the declared number of calls reaches the
// dependency, and then no more.
func tripsAtThreshold(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("opens after %d failed calls in a row", d.Failures), Span: o.fault()}
	if d.Trips != "" {
		p.Expected = fmt.Sprintf("opens after %d failed calls: %s", d.Failures, d.Trips)
	}
	t, tripped := FindTrip(d, o)
	if tripped {
		p.End = t.At
	}
	switch why := blind(d, o); {
	case why != "":
		p.Verdict, p.Detail = Inconclusive, "Attempts could not be counted: "+why+"."
	case d.Failures == 0:
		propose(&p, d, o)
	case tripped:
		judgeTrip(&p, d, o, t)
	default:
		judgeNoTrip(&p, d, o)
	}
	return p
}

// judgeTrip judges by calls, since one call may try more than once, and by attempts
// where others may have failed beside us: the breaker counts these too.
func judgeTrip(p *Property, d Declared, o *Observed, t Trip) {
	p.Observed = fmt.Sprintf("opened after %d, %s after the fault began", t.Calls, round(t.At-o.Armed.Start))
	if t.Attempts != t.Calls {
		p.Observed = fmt.Sprintf("opened after %d calls with %d attempts, %s after the fault began", t.Calls, t.Attempts, round(t.At-o.Armed.Start))
	}
	most := d.Failures + d.Slack
	switch {
	case t.Calls > most && t.Overlap:
		p.Verdict = Inconclusive
		p.Detail = "The service had not ended its calls when we stopped waiting for them, so they overlapped. Give target.http.timeout more than the service's own patience."
	case t.Calls-t.Turned > most && t.Unseen > 0 && ignored(d, o):
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened too late: %d calls in a row failed before one was turned away, at most %d may.", t.Calls, most)
	case t.Calls > most && float64(t.Calls-most) <= d.noise(Span{o.Armed.Start, t.At}):
		p.Verdict = Inconclusive
		p.Detail = fmt.Sprintf("%d calls seem to have reached the dependency, at most %d may; the declared background hides which.", t.Calls, most)
	case t.Calls > most && !ignored(d, o):
		p.Verdict = Inconclusive
		p.Detail = fmt.Sprintf("%d calls reached the dependency, at most %d may; but so few were made in the open time that some may have been half-open probes. Is the machine busy, or the open time too short to see?", t.Calls, most)
	case t.Calls > most:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened too late: %d calls reached the dependency, at most %d may.", t.Calls, most)
	case t.Attempts < d.Failures && d.Retries > 0 && t.Calls == (d.Failures+d.Retries)/(1+d.Retries):
		p.Detail = fmt.Sprintf("After %d failed calls nothing more was tried; a first try over a connection that was open before leaves no attempt.", t.Calls)
	case t.Attempts < d.Failures && t.Attempts+t.Maybe >= d.Failures:
		p.Verdict = Inconclusive
		p.Detail = fmt.Sprintf("Of %d more calls it cannot be told whether they failed on connections that were open before. Use established: reset, or a quiet replica.", t.Maybe)
	case t.Unseen > 0 && t.Calls*(1+d.Retries)+t.Maybe < d.Failures && o.busy(d.WhileOpen, Span{o.Armed.Start, t.At}) == 0:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened too early: after %d failed calls instead of %d, the next was turned away.", t.Calls, d.Failures)
	case t.Attempts < d.Failures:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("It opened too early: after %d failed calls instead of %d.", t.Attempts, d.Failures)
	case t.Calls*(1+d.Retries)+t.Maybe < d.Failures:
		p.Verdict = Inconclusive
		p.Detail = fmt.Sprintf("%d calls made %d attempts: declare breaker.retries, or somebody else was calling too.", t.Calls, t.Attempts)
	default:
		p.Detail = fmt.Sprintf("After %d failed calls nothing more was tried.", t.Calls)
	}
}

func judgeNoTrip(p *Property, d Declared, o *Observed) {
	longest, _, quiet := row(d, o)
	under := len(o.calls(o.fault()))
	switch {
	case longest >= d.Failures+d.Slack+quietCalls && d.Answer && o.reaching() < d.Failures && ignored(d, o):
		p.Verdict, p.Observed = Fail, fmt.Sprintf("%d calls in a row failed, and none was turned away", longest)
		p.Detail = fmt.Sprintf("It did not open in %d failed calls in a row, of which %d were seen to reach the dependency. Or it opened early and does not answer as declared (breaker.rejected).", longest, o.reaching())
	case longest >= d.Failures+d.Slack+quietCalls && ignored(d, o):
		p.Verdict, p.Observed = Fail, fmt.Sprintf("did not open: %d of %d calls reached the dependency", o.reaching(), under)
		p.Detail = fmt.Sprintf("The breaker never opened in %d failed calls in a row. Is there one on this path, and does it count timeouts as failures?", longest)
	case (quiet || longest >= d.Failures) && under >= d.Failures+quietCalls:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d of %d calls reached the dependency, at most %d in a row", o.reaching(), under, longest)
		p.Detail = "Some calls did not meet the fault, or only when the breaker may have tried again: is the dependency reachable in another way, the machine busy, or the open time too short to see?"
	default:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("%d calls under the fault", under)
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", d.Failures+quietCalls)
	}
}

// reaching is how many calls under the fault reached the dependency.
func (o *Observed) reaching() (sum int) {
	for i := range o.calls(o.fault()) {
		if n, _ := o.reached(i, sum == 0); n > 0 {
			sum++
		}
	}
	return sum
}

// propose says what the breaker's parameters were seen to be.
func propose(p *Property, d Declared, o *Observed) {
	p.Expected, p.Verdict = "opens after a declared number of failed calls in a row", Inconclusive
	t, tripped := FindTrip(d, o)
	if !tripped {
		p.Observed = fmt.Sprintf("did not open in %d calls", len(o.calls(o.fault())))
		p.Detail = "The threshold is not declared, and no opening was seen. Declare breaker.failures, if there is a breaker on this path."
		return
	}
	p.Observed = fmt.Sprintf("opened after %d", t.Calls)
	is, declare := []string{fmt.Sprintf("opens after %d failures in a row", t.Calls)}, []string{fmt.Sprintf("failures: %d", t.Calls)}
	if least, most, ok := OpenTime(o, t); ok && d.OpenFor == 0 {
		stays := roundest(least, most)
		p.Observed += ", then open for " + round(most)
		is, declare = append(is, "stays open for "+stays.String()), append(declare, "open_for: "+stays.String())
	}
	if n := o.during(o.Probe); n > 0 && !o.Survive {
		p.Observed += fmt.Sprintf(", then let %d of %d calls through", n, len(o.all(o.Probe)))
		is, declare = append(is, fmt.Sprintf("admits %d", n)), append(declare, fmt.Sprintf("half_open_calls: %d", n))
	}
	p.Detail = "It " + strings.Join(is, ", ") + "; declare breaker: {" + strings.Join(declare, ", ") + "}."
}

// notDeclared says that the open time is missing, and what it was.
func notDeclared(d Declared, o *Observed) string {
	t, tripped := FindTrip(d, o)
	if least, most, ok := OpenTime(o, t); tripped && ok {
		return fmt.Sprintf("The open time is not declared. It was about %s: declare breaker.open_for.", roundest(least, most))
	}
	return "The open time is not declared. Declare breaker.open_for."
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
