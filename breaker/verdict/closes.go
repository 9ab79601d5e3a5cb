package verdict

import (
	"fmt"
	"time"
)

// steadyCalls is how many successes in a row show that the breaker is closed again.
const steadyCalls = 5

// FindClose finds when calls succeed again for good after the fault was healed: the
// end of the first success of the last unbroken row of them.
func FindClose(o *Observed) (at time.Duration, ok bool) {
	if o.Armed.End == 0 {
		return 0, false
	}
	row := 0
	for _, c := range o.calls(Span{o.Armed.End, o.Ended + 1}) {
		if c.Outcome != Success {
			row = 0
			continue
		}
		if row++; row == 1 {
			at = c.At + c.Took
		}
	}
	return at, row >= steadyCalls
}

// closesOnSuccess: after healing, the breaker lets calls through again within its
// open time, one call and the declared recovery time.
func closesOnSuccess(d Declared, o *Observed) Property {
	within := d.OpenFor + d.CallTimeout + d.RecoversIn
	p := Property{Expected: fmt.Sprintf("calls succeed again within %s of healing", within), Span: Span{o.Armed.End, o.Ended}}
	if _, tripped := FindTrip(o); !tripped {
		p.Verdict, p.Detail = Skipped, "The breaker never opened, so there was nothing to close."
		return p
	}
	if o.Armed.End == 0 {
		p.Verdict, p.Detail = Inconclusive, "The run ended before the fault was healed."
		return p
	}
	at, closed := FindClose(o)
	took := at - o.Armed.End
	switch {
	case !closed && o.Ended-o.Armed.End < within:
		p.Verdict, p.Observed = Inconclusive, fmt.Sprintf("watched for %s after healing", round(o.Ended-o.Armed.End))
		p.Detail = "The run ended before the breaker had its time to close."
	case !closed:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("calls did not succeed again in %s", round(o.Ended-o.Armed.End))
		p.Detail = "The dependency is reachable again and the breaker keeps calls from it: it is stuck."
	case took > within:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("calls succeeded again after %s", round(took))
		p.Detail = fmt.Sprintf("It closed %s later than declared.", round(took-within))
	default:
		p.End = at
		p.Observed = fmt.Sprintf("calls succeeded again after %s", round(took))
		p.Detail = "The breaker closed by itself once the dependency was back."
	}
	return p
}
