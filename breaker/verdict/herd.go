package verdict

import (
	"fmt"
	"time"
)

// few is how many attempts are no herd, and how many a check may make.
const few = 5

// herdTime is how long after closing a herd would come.
const herdTime = 2 * time.Second

// noHerdOnRecovery: when the breaker closes, the dependency gets the calls that come
// then, and not those that had been waiting.
func noHerdOnRecovery(d Declared, o *Observed) Property {
	p := Property{Expected: "no more attempts than calls once it has closed"}
	at, closed := findClose(o)
	if !closed {
		p.Expected = ""
		p.Verdict, p.Detail = Skipped, "The breaker was not seen to close."
		return p
	}
	p.Span = Span{o.Armed.End, min(at+herdTime, o.Ended)}
	calls, n := len(o.all(p.Span)), o.during(p.Span)
	may := calls * (1 + d.Retries)
	p.Observed = fmt.Sprintf("%d attempts in %d calls over %s", n, calls, round(p.Length()))
	switch why := blind(d, o); {
	case why != "":
		p.Verdict, p.Observed, p.Detail = Inconclusive, "", "Attempts could not be counted: "+why+"."
	case n <= may || float64(n-may) <= d.noise(p.Span):
		p.Detail = "No more connections were opened to the dependency than calls came when it was back."
	case n-may <= max(few, may/2)+few*o.busy(d.WhileOpen, p.Span):
		p.Detail = "The dependency got hardly more than its calls when it came back."
	default:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("After it closed, %d attempts reached the dependency in %d calls: something had been waiting for it to come back.", n, calls)
	}
	return p
}
