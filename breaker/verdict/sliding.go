package verdict

import (
	"fmt"
	"time"
)

// slidingWindow: failures count together wherever they lie in a window's length, not
// only if they lie between two edges of the breaker's own clock.
func slidingWindow(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("opens after %d failures anywhere in %s", d.Failures, d.Window)}
	switch {
	case d.Window == 0:
		return Property{Verdict: Skipped, Detail: "No window of time is declared."}
	case len(o.Spread) == 0:
		p.Verdict, p.Detail = Inconclusive, "Failures were not spread over the window: the run ended before, or its limit is too short for it."
		return p
	case blind(d, o) != "":
		p.Verdict, p.Detail = Inconclusive, "Attempts could not be counted: "+blind(d, o)+"."
		return p
	}
	p.Span = Span{o.Spread[0].Start, o.Spread[len(o.Spread)-1].End}
	for i, s := range o.Spread {
		view := o.under(s)
		t, tripped := FindTrip(d, view)
		failures := view.calls(s)
		spread := s.Length()
		if tripped {
			spread = t.At - s.Start
		}
		p.Observed = fmt.Sprintf("opened after %d failures in %s, %d times of %d", t.Calls, round(spread), i+1, len(o.Spread))
		switch {
		case tripped && t.Calls <= d.Failures+d.Slack:
			continue
		case view.lasted(d.Failures+d.Slack) > d.Window*95/100:
			p.Verdict, p.Detail = Inconclusive, "The calls took so long that they did not fit into the window. Run it where there is CPU to spare."
		case view.starved(s) > s.Length()/2:
			p.Verdict, p.Detail = Inconclusive, "The machine was too short of CPU to spread calls over the window."
		default:
			p.Verdict = Fail
			p.Observed = fmt.Sprintf("did not open after %d failures in %s", min(len(failures), d.Failures+d.Slack), round(spread))
			p.Detail = fmt.Sprintf("%d failures within its window of %s did not open it: it seems to begin anew at fixed times, and misses a burst across them.", d.Failures+d.Slack, d.Window)
		}
		return p
	}
	p.Detail = "Failures counted together wherever they lay in the window."
	outlived(&p, d, o)
	return p
}

// outlived says that failures count which are older than the window: one more opened the
// breaker.
func outlived(p *Property, d Declared, o *Observed) {
	if o.Aged.Anew == 0 || o.Aged.End == 0 {
		return
	}
	view := o.under(o.Aged.Span)
	if t, _ := FindTrip(d, o.before(o.nextRound())); t.Calls*(1+d.Retries) < d.Failures {
		return // it opens early, so fewer may have opened it
	}
	through := func(i int, c Call) bool {
		n, _ := view.reached(i, false)
		return n > 0 || d.Answer && c.Outcome != Rejected || d.waited(c)
	}
	calls := view.calls(o.Aged.Span)
	for i, c := range calls {
		if i == 0 || c.At < o.Aged.Anew || calls[i-1].At < o.Aged.Anew {
			continue
		}
		if first := calls[i-1]; !through(i-1, first) || through(i, c) || c.Starved > c.Took/2 && c.Took > d.FailsFastIn {
			return
		}
		before := o.Aged.Anew - o.Aged.Start
		p.Verdict, p.Span = Fail, o.Aged.Span
		p.Observed = fmt.Sprintf("opened by 1 failure, and %d that were older than %s", o.Aged.Failures, d.Window)
		p.Detail = fmt.Sprintf("%d failures, one fewer than open it, were followed by %s without a call; one failure more opened it, although its window is declared to be %s: old failures still count.", o.Aged.Failures, round(before), d.Window)
		return
	}
}

// lasted is how long the first n calls under the fault took together.
func (o *Observed) lasted(n int) time.Duration {
	calls := o.calls(o.fault())
	if len(calls) == 0 {
		return 0
	}
	last := calls[min(n, len(calls))-1]
	return last.At + last.Took - calls[0].At
}
