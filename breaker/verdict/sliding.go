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
	return p
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
