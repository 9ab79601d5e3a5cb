package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// A Recovery splits the time from the last moment of the outage until calls succeed
// again for good. Its three parts do not overlap, and together they are all of it.
type Recovery struct {
	HealedMS  float64 `json:"healed_ms"`  // the fault was healed
	TriedMS   float64 `json:"tried_ms"`   // a call reached out for the dependency again
	SuccessMS float64 `json:"success_ms"` // the first answer of the dependency was there
	SteadyMS  float64 `json:"steady_ms"`  // the first answer of several in a row, of calls made since

	BreakerOpenMS float64 `json:"breaker_open_ms"` // no call was at the dependency: the breaker, once open, kept them away
	TCPTailMS     float64 `json:"tcp_tail_ms"`     // calls hung on connections from before the healing
	RestMS        float64 `json:"rest_ms"`         // probes and their answers, and the time between calls
}

// String is the whole time with its parts, in words; empty of none.
func (r *Recovery) String() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s after healing: the breaker's open time %s, TCP's tail %s, the rest %s", short(duration(r.SteadyMS-r.HealedMS)),
		short(duration(r.BreakerOpenMS)), short(duration(r.TCPTailMS)), short(duration(r.RestMS)))
}

// recoveryOf splits the recovery from the outage, or is nil where there was none.
func recoveryOf(d verdict.Declared, o *verdict.Observed) *Recovery {
	steady, ok := verdict.FirstClose(o)
	normal, known := slowestBefore(o)
	if !ok || !known {
		return nil
	}
	whole := verdict.Span{Start: o.Armed.End, End: steady}
	tried, success, last := steady, steady, steady
	var hung, busy []verdict.Span // calls that hung on an old connection; all that were at the dependency
	for _, c := range o.Calls {
		own := clip(verdict.Span{Start: c.At, End: c.At + c.Took}, whole)
		if own.Length() <= 0 || c.At < o.Armed.Start {
			continue
		}
		fresh, reached := firstIn(o.Attempts, own)
		switch {
		case reached:
			own.Start = fresh
		case hangs(c, o, normal):
			hung = append(hung, own)
		case c.Outcome != verdict.Success: // the breaker answered; a success went over a connection that was there
			continue
		}
		busy = append(busy, own)
		if reached || c.Outcome == verdict.Success {
			tried = min(tried, own.Start)
		}
		if c.Outcome == verdict.Success {
			success = min(success, own.End)
		}
		if own.End == steady {
			last = min(last, own.Start)
		}
	}
	tail, open := covered(hung, whole), time.Duration(0)
	if _, tripped := verdict.FindTrip(d, o); tripped {
		shut := verdict.Span{Start: whole.Start, End: last}
		open = shut.Length() - covered(busy, shut)
	}
	return &Recovery{
		HealedMS: ms(whole.Start), TriedMS: ms(tried), SuccessMS: ms(success), SteadyMS: ms(steady),
		BreakerOpenMS: ms(open), TCPTailMS: ms(tail), RestMS: ms(whole.Length() - tail - open),
	}
}

// slowestBefore is the longest success before the first fault.
func slowestBefore(o *verdict.Observed) (slowest time.Duration, ok bool) {
	first := o.Armed.Start
	if o.Tried.Length() > 0 {
		first = min(first, o.Tried.Start)
	}
	for _, c := range o.Calls {
		if c.Outcome == verdict.Success && c.At < first {
			slowest, ok = max(slowest, c.Took), true
		}
	}
	return slowest, ok
}

// hangs reports whether a call, which made no new connection after the healing, waited
// on one from before: it was under way with an attempt, or its packets met the fault, or
// it has no answer of the breaker's and took longer than any while all was well.
func hangs(c verdict.Call, o *verdict.Observed, normal time.Duration) bool {
	if c.Took <= normal {
		return false
	}
	_, tried := firstIn(o.Attempts, verdict.Span{Start: c.At, End: o.Armed.End})
	return tried || c.Met || c.Outcome != verdict.Rejected
}

// firstIn is the first of sorted times that is in a span.
func firstIn(times []time.Duration, s verdict.Span) (at time.Duration, ok bool) {
	for _, t := range times {
		if s.Has(t) {
			return t, true
		}
	}
	return 0, false
}

// covered is how much of the whole is in at least one of the spans.
func covered(spans []verdict.Span, whole verdict.Span) (sum time.Duration) {
	slices.SortFunc(spans, func(a, b verdict.Span) int { return cmp.Compare(a.Start, b.Start) })
	done := whole.Start
	for _, s := range spans {
		s = clip(s, verdict.Span{Start: done, End: whole.End})
		sum += max(0, s.Length())
		done = max(done, s.End)
	}
	return sum
}

// clip is the part of s that is in the whole; its length is not positive if there is none.
func clip(s, whole verdict.Span) verdict.Span {
	return verdict.Span{Start: max(s.Start, whole.Start), End: min(s.End, whole.End)}
}
