package verdict

import (
	"fmt"
	"slices"
	"time"
)

// reportLag is how long what a breaker says of itself may differ from what was seen: a
// gauge is often refreshed once a second.
const reportLag = time.Second

// selfReportAgrees: what the breaker says of itself is what was seen from outside.
func selfReportAgrees(d Declared, o *Observed) Property {
	if !d.Reported {
		return Property{Verdict: Skipped, Detail: "No reader is declared (breaker.reader)."}
	}
	p := Property{Expected: fmt.Sprintf("the state that was seen, at most %s late", reportLag), Span: Span{o.Idle.End, o.Ended}}
	read := slices.DeleteFunc(slices.Clone(o.Reports), func(r Report) bool { return r.State == "" })
	if len(read) == 0 {
		p.Verdict, p.Detail = Inconclusive, "What the breaker says of itself could not be read."
		if len(o.Reports) > 0 {
			p.Detail = "What the breaker says of itself could not be read: " + o.Reports[len(o.Reports)-1].Error + "."
		}
		return p
	}
	compared := 0
	var shortest time.Duration
	for _, e := range expectations(d, o) {
		n, lie, worst := e.hold(read)
		compared += n
		if worst > reportLag {
			p.Verdict, p.Span = Fail, lie
			p.Observed = fmt.Sprintf("said %s for %s while it was %s", e.said(read, lie), round(worst), e.is)
			p.Detail = fmt.Sprintf("It said %s for %s while %s. Whoever looks at the dashboard is misled.", e.said(read, lie), round(worst), e.because)
			return p
		}
		if n > 0 && worst >= e.Length()-reportLag/2 && worst > 0 {
			shortest = e.Length()
		}
	}
	switch {
	case compared == 0:
		p.Verdict, p.Detail = Inconclusive, "No report fell into a time in which the state was certain."
	case shortest > 0:
		p.Verdict, p.Detail = Inconclusive, fmt.Sprintf("It disagreed throughout a state that lasted %s, which is too short to tell a late gauge from a wrong one.", round(shortest))
	default:
		p.Observed = fmt.Sprintf("%d reports agree", compared)
		p.Detail = "The breaker says of itself what was seen from outside."
	}
	return p
}

// An expectation is a time in which the state is certain, and what may be said in it.
type expectation struct {
	Span
	is      string
	because string
	may     []string
}

// expectations are the times in which the state is certain.
func expectations(d Declared, o *Observed) []expectation {
	t, tripped := FindTrip(d, o)
	before := o.Armed.Start
	if tripped {
		before = t.Since
	}
	out := []expectation{{Span{o.Idle.End, before}, "closed", "calls got through", []string{"closed"}}}
	if !tripped {
		return out
	}
	least, _ := d.Opens(1)
	if least > 0 {
		openUntil := min(t.At+least*19/20, o.fault().End)
		out = append(out, expectation{Span{t.At, openUntil}, "open", "no call got through", []string{"open"}})
		out = append(out, expectation{Span{openUntil, o.fault().End}, "open or half-open", "no call succeeded", []string{"open", "half-open"}})
	}
	if at, ok := findClose(o); ok {
		out = append(out, expectation{Span{at, o.Ended}, "closed", "calls got through", []string{"closed"}})
	}
	return out
}

// hold is how many reports fell into the time, and for how long at most they said
// something else, one after another.
func (e expectation) hold(read []Report) (n int, lie Span, worst time.Duration) {
	var since time.Duration
	lying := false
	for _, r := range read {
		if !e.Has(r.At) {
			continue
		}
		n++
		switch wrong := !slices.Contains(e.may, r.State); {
		case wrong && !lying:
			since, lying = r.At, true
		case !wrong:
			lying = false
		}
		if lying && r.At-since > worst {
			worst, lie = r.At-since, Span{since, r.At}
		}
	}
	return n, lie, worst
}

// said is what was reported in a time, the first of it.
func (e expectation) said(read []Report, lie Span) string {
	for _, r := range read {
		if r.At >= lie.Start && !slices.Contains(e.may, r.State) {
			return r.State
		}
	}
	return "something else"
}
