package verdict

import (
	"fmt"
	"time"
)

// leastAgain is how many calls show that the breaker is open again.
const leastAgain = 5

// reopensOnFailedProbe: when the probe fails, the breaker is open for another open time.
func reopensOnFailedProbe(d Declared, o *Observed) Property {
	least, _ := d.Opens(2)
	p := Property{Expected: "no call reaches the dependency for another open time after a failed probe"}
	if least > 0 {
		p.Expected = fmt.Sprintf("no call reaches the dependency for another %s after a failed probe", least)
	}
	byTime := o.Survive && o.Waits > 0
	if o.Probe.Length() == 0 || !o.reachedIn(d, o.Probe) && !byTime {
		p.Verdict, p.Detail = Inconclusive, unprobed(d, o)
		switch {
		case o.Probe.Length() > 0 && o.triedByItself(d):
			p.Verdict, p.Detail = Skipped, "It tried by itself, and not with a call."
		case o.Probe.Length() > 0:
			p.Detail = "It let nobody through, so no probe failed."
		}
		return p
	}
	ended, failed, starved := o.probeEnd(d)
	lag := max(50*time.Millisecond, least/20) + starved
	ended = max(ended, o.Probe.End) // what was read by then belongs to the calls before
	p.Span = Span{ended, max(ended, min(failed+least-lag, o.Ended))}
	if o.Left.Length() > 0 {
		p.End = max(p.Start, min(p.End, o.Left.Start))
	}
	calls := o.calls(p.Span)
	n := len(o.caused(d, calls, p.Span))
	if byTime {
		n, _ = o.waited(d, calls)
	}
	n = max(n, len(o.passed(d, p.Span)))
	p.Observed = fmt.Sprintf("%d attempts in %d calls over %s", n, len(calls), round(p.Length()))
	switch why := blind(d, o); {
	case d.OpenFor == 0:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", notDeclared(d, o)
	case o.Survive && !byTime:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", "Connections survive this fault, so calls need no attempt that could be counted. Use drop or reject."
	case why != "" && !byTime:
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", "Attempts could not be counted: "+why+"."
	case n > 0 && float64(n) <= d.chance(busy(calls)) && len(calls) >= leastAgain:
		p.Detail = "No more attempts came after the failed probe than the declared background explains."
	case n > 0 && (float64(n) <= d.noise(p.Span) || n <= 1+d.Retries && starved > least/4):
		p.Verdict, p.Detail = Inconclusive, "The declared background, or a machine short of CPU, hides whether a call reached the dependency."
	case n > 0:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("After its probe had failed, calls went on reaching the dependency (%d in %s). A failed probe must open it again.", n, round(p.Length()))
	case len(calls) < leastAgain:
		p.Verdict = Inconclusive
		p.Detail = fmt.Sprintf("Too few calls to tell: %d are needed.", leastAgain)
	default:
		p.Detail = "The failed probe opened it again."
	}
	return p
}

// probeEnd is when all calls that came together had ended; from when the next open time
// counts at the earliest, which is the begin of the probe with some breakers and its
// failure with others; and how much of that time the machine was short of CPU.
func (o *Observed) probeEnd(d Declared) (ended, failed, starved time.Duration) {
	for _, a := range o.Attempts {
		if o.Probe.Has(a) {
			failed = a
		}
	}
	for _, c := range o.passed(d, o.Probe) {
		failed = max(failed, c.At)
	}
	waited := time.Duration(0)
	for _, c := range o.all(o.Probe) {
		end := c.At + c.Took
		short := c.Starved
		if d.CallTimeout > 0 && c.Took >= d.CallTimeout {
			short = min(short, c.Took-d.CallTimeout) // it gave up in time, and was late to say so
		}
		ended, starved = max(ended, end), max(starved, short)
		if o.Survive && o.Waits > 0 && c.Took >= o.Waits {
			failed = max(failed, c.At)
		}
		if d.CallTimeout > 0 && c.Took >= d.CallTimeout*8/10 && (waited == 0 || end < waited) {
			waited = end // the fault kept it waiting, so it was the probe
		}
	}
	if least, _ := d.Opens(2); d.CallTimeout > least/2 { // else there is nothing to see
		failed = max(failed, waited)
	}
	return ended, failed, starved
}
