package scenarios

import (
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// A transition is a change of the breaker's state as seen from outside.
type transition struct {
	at       time.Duration
	from, to string
}

// transitions are the breaker's states as seen from outside: open when calls stopped
// reaching the dependency, half-open with the next call that does when the open time is
// over, open again when that one must have failed, and closed when calls succeed. What
// reaches the dependency before the open time is over is no probe: it leaves the state
// as it is. What is told once stays told.
func (x *experiment) transitions(o *verdict.Observed) []transition {
	d := x.declares()
	t, ok := verdict.FindTrip(d, o)
	if !ok {
		return nil
	}
	out := []transition{{t.At, "closed", "open"}}
	closedAt, closes := verdict.FirstClose(o)
	last := func() transition { return out[len(out)-1] }
	opened, since := 1, t.At // how often in a row, and when last
	for _, a := range probes(d, o, t.At) {
		if a <= last().at || closes && a >= closedAt {
			continue
		}
		if last().to == "open" {
			if least, _ := d.Opens(opened); a < since+least*9/10 {
				continue
			}
			out = append(out, transition{callBefore(o, a, last().at), "open", "half-open"})
		}
		failed := a + x.spec.Breaker.CallTimeout
		if o.Armed.End > 0 && a < o.Armed.End && failed < o.Ended && (!closes || failed < closedAt) {
			out = append(out, transition{failed, "half-open", "open"})
			opened, since = opened+1, a
		}
	}
	if !closes {
		return out
	}
	return later(append(out, closing(o, last(), closedAt)...), o, closedAt)
}

// later goes on after the breaker has closed: a rejection says that it is open again.
func later(out []transition, o *verdict.Observed, closedAt time.Duration) []transition {
	for _, c := range o.Calls {
		last := out[len(out)-1]
		switch at := c.At + c.Took; {
		case at <= closedAt:
		case c.Outcome == verdict.Rejected && last.to == "closed":
			out = append(out, transition{at, "closed", "open"})
		case c.Outcome == verdict.Success && last.to == "open":
			out = append(out, closing(o, last, at)...)
		}
	}
	return out
}

// reaching is when something reached the dependency, in order: each attempt, and where
// connections live on under the fault, each call after some time that waited for it.
func reaching(o *verdict.Observed, after time.Duration) []time.Duration {
	if !o.Survive || o.Waits == 0 {
		return o.Attempts
	}
	out := slices.Clone(o.Attempts)
	for _, c := range o.Calls {
		if c.At > after && c.At < o.Armed.End && c.Took >= o.Waits {
			out = append(out, c.At)
		}
	}
	slices.Sort(out)
	return out
}

// callBefore is when the first of the calls began that were under way when something reached
// the dependency, of those made after a time; else it is that moment.
func callBefore(o *verdict.Observed, at, after time.Duration) time.Duration {
	for _, c := range o.Calls {
		if c.At > after && c.At <= at && at < c.At+c.Took {
			return c.At
		}
	}
	return at
}

// probes is when calls were let through to the dependency once it had opened: those that
// left no attempt of their own too. Where background is declared, only what came while a
// call was let through tells of it, and one attempt for each.
func probes(d verdict.Declared, o *verdict.Observed, after time.Duration) (at []time.Duration) {
	if at = verdict.LetThrough(d, o, after); len(at) > 0 {
		return at
	}
	if !o.Noisy {
		return reaching(o, after)
	}
	for _, c := range o.Calls {
		away := d.Answer && c.Outcome == verdict.Rejected && c.Took < d.CallTimeout*7/10
		if first, tried := firstIn(o.Attempts, verdict.Span{Start: c.At, End: c.At + c.Took + slipped}); tried && !away {
			at = append(at, first)
		}
	}
	slices.Sort(at)
	return at
}

// closing goes from the last state to closed, with the end of a call. A probe that went
// over an open connection left no trace of its own: it was that call.
func closing(o *verdict.Observed, last transition, at time.Duration) []transition {
	closed := transition{at, "half-open", "closed"}
	if last.to != "open" {
		return []transition{closed}
	}
	probed := at
	for _, c := range o.Calls {
		if c.At+c.Took == at && c.Outcome == verdict.Success {
			probed = max(c.At, last.at)
		}
	}
	return []transition{{probed, "open", "half-open"}, closed}
}

// seenPhases cuts the parts of the plan at the breaker's transitions, so that a phase
// says what was seen of the breaker and not what the plan was at: idle and baseline,
// then closed, once for each time that the fault comes, open and half-open, and
// recovered once it is closed for good.
func seenPhases(planned []phase, states []transition) []phase {
	states = whole(states)
	var out []phase
	state := "closed"
	for _, p := range planned {
		p.Start, p.End = p.Start.Truncate(time.Microsecond), p.End.Truncate(time.Microsecond)
		for start := true; ; start = false {
			n := 0
			for n < len(states) && states[n].at <= p.Start {
				state = states[n].to
				n++
			}
			states = states[n:]
			piece := phase{p.seenAs(state), p.Span}
			if len(states) > 0 {
				piece.End = min(p.End, states[0].at)
			}
			again := start && p.name == "closed" // the fault comes once more
			if last := len(out) - 1; last >= 0 && out[last].name == piece.name && !again {
				out[last].End = piece.End
			} else if piece.Length() > 0 || len(planned) == 1 {
				out = append(out, piece)
			}
			if p.Start = piece.End; p.Start >= p.End {
				break
			}
		}
	}
	return out
}

// whole is the transitions at whole microseconds, which the report counts: a call at a
// cut must be on one side of it in both.
func whole(states []transition) []transition {
	states = slices.Clone(states)
	for i := range states {
		states[i].at = states[i].at.Truncate(time.Microsecond)
	}
	return states
}

// seenAs is the name of a part of the plan in which the breaker was seen in a state.
func (p phase) seenAs(state string) string {
	switch {
	case p.name == "idle" || p.name == "baseline":
		return p.name
	case p.name == "recovered" && state == "closed":
		return p.name
	}
	return state
}

func phaseAt(phases []phase, at time.Duration) string {
	i := slices.IndexFunc(phases, func(p phase) bool { return p.Has(at) })
	if i < 0 {
		return phases[len(phases)-1].name
	}
	return phases[i].name
}
