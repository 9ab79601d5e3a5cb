package page

import (
	"github.com/foreshock/foreshock/scenarios"
)

// A recovery is how long it took until all was well, and what that was spent on.
type recovery struct {
	Whole string
	Bar   lane
	Parts []part
}

type part struct{ Class, Name, Took, Text string }

func viewRecovery(r *scenarios.Recovery) *recovery {
	if r == nil {
		return nil
	}
	whole := r.SteadyMS - r.HealedMS
	v := &recovery{Whole: span(whole), Bar: lane{Label: "the recovery in its parts", Height: 26}}
	at := 0.0
	for _, p := range []struct {
		part
		ms float64
	}{
		{part{"open", "Breaker's open time", "", "The dependency was back, and no call was at it: the breaker still kept them away."}, r.BreakerOpenMS},
		{part{"tail", "TCP's tail", "", "Calls hung on connections from before the healing, whose lost packets TCP repeats more and more seldom."}, r.TCPTailMS},
		{part{"rest", "The rest", "", "Probes and their answers, the successes that the breaker needs to close, and the time between two calls."}, r.RestMS},
	} {
		p.Took = span(p.ms)
		v.Parts = append(v.Parts, p.part)
		if whole > 0 && p.ms > 0 {
			width := p.ms / whole * 100
			v.Bar.Bands = append(v.Bar.Bands, band{X: percent(at), W: percent(width), Y: 3, H: 20, Class: p.Class, Title: p.Name + ": " + p.Took})
			v.Bar.Texts = append(v.Bar.Texts, labels(at, width, 17, p.Name+" "+p.Took, p.Took)...)
			at += width
		}
	}
	return v
}
