package scenarios

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// report judges what was seen. err is what ended the run early, or nil.
func (x *experiment) report(ctx context.Context, err error) *Report {
	x.doubts()
	o := x.observed()
	x.phases[len(x.phases)-1].End = o.Ended
	d := x.declares()
	properties := verdict.Judge(d, o)
	v, reason := x.roll(properties, err)
	if v == verdict.Invalid {
		properties = verdict.Void(properties, reason)
	}
	r := &Report{
		Schema: Schema, Scenario: x.spec.Name, Run: x.id, Foreshock: x.engine.Version, Host: x.engine.Host,
		Summary: x.spec.secrets.Mask(x.spec.Summary), Target: x.spec.target(), SHA256: x.spec.sha256, Definition: x.spec.definition(),
		Started: x.started.UTC(), DurationMS: ms(o.Ended),
		Recovery: recoveryOf(d, o), Faults: []FaultLine{}, Phases: []PhaseLine{}, Checks: []CheckLine{}, Timeline: []Entry{},
	}
	for _, p := range properties {
		r.Properties = append(r.Properties, PropertyLine{p.ID, p.Verdict, p.Expected, p.Observed, p.Detail, ms(p.Start), ms(p.End)})
	}
	for _, ev := range x.evidence {
		r.Faults = append(r.Faults, faultLine(ev, x.started))
	}
	for _, p := range x.phases {
		r.Phases = append(r.Phases, phaseLine(p, o))
	}
	for _, c := range o.Checks {
		r.Checks = append(r.Checks, CheckLine{c.Name, c.Status, x.phaseAt(c.At), ms(c.At), ms(c.Took), c.Message})
	}
	r.Timeline = append(r.Timeline, timeline(o, x.transitions(o), r.Faults)...)
	r.Verdict, r.Reason = v, x.spec.secrets.Mask(reason)
	r.ExitCode = r.Verdict.ExitCode()
	if errors.Is(err, errHeal) {
		r.ExitCode, r.Reason = exitLeft, strings.ReplaceAll(err.Error(), "\n", "; ")+"; run: foreshock fault heal --all"
	}
	if x.untidy != nil {
		r.Untidy = x.spec.secrets.Mask(x.untidy.Error())
	}
	x.publishStates(ctx, o)
	x.publishScenario(ctx, x.started.Add(o.Ended).UTC())
	return r
}

// roll makes the verdict of the properties, the evidence, and how the run ended.
func (x *experiment) roll(ps []verdict.Property, err error) (verdict.Verdict, string) {
	var invalid, abortedBy string
	var s *stop
	if errors.As(err, &s) {
		switch s.verdict {
		case verdict.Invalid:
			invalid = s.reason
		case verdict.Aborted:
			abortedBy = s.reason
		default:
			if x.obs.Armed.Start == 0 { // nothing was broken, so nothing can have failed
				return s.verdict, s.reason
			}
		}
	}
	for _, ev := range x.evidence {
		if ev.Tampered != "" {
			invalid = touched(ev)
		}
	}
	v, reason := verdict.Roll(ps, invalid, abortedBy, x.spec.Require)
	if s != nil && s.verdict == verdict.Inconclusive && (v == verdict.Pass || v == verdict.Inconclusive) {
		return s.verdict, s.reason
	}
	return v, reason
}

// doubts notes what makes the counts untrustworthy, or the fault itself.
func (x *experiment) doubts() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ev := range x.evidence {
		if ev.Lost {
			x.obs.Doubt = "the kernel's log of attempts overflowed"
		}
		if ev.Lapses > 0 {
			x.obs.Unsteady = "The lease was renewed too late, so the fault flickered (longest gap " + ev.LongestGap.Round(time.Millisecond).String() + ")"
		}
		if len(ev.Foreign) > 0 {
			x.obs.Unsteady = "Rules of others came before the fault's during the run, and may have let packets pass: " + strings.Join(ev.Foreign, "; ")
		}
	}
}

func (x *experiment) phaseAt(at time.Duration) string {
	i := slices.IndexFunc(x.phases, func(p phase) bool { return p.Has(at) })
	if i < 0 {
		return x.phases[len(x.phases)-1].name
	}
	return x.phases[i].name
}

// A transition is a change of the breaker's state as seen from outside.
type transition struct {
	at       time.Duration
	from, to string
}

// transitions are the breaker's states as seen from outside: open when calls stopped
// reaching the dependency, half-open with the next that does, open again when that one
// must have failed, and closed when calls succeed. What is told once stays told.
func (x *experiment) transitions(o *verdict.Observed) []transition {
	t, ok := verdict.FindTrip(x.declares(), o)
	if !ok {
		return nil
	}
	out := []transition{{t.At, "closed", "open"}}
	closedAt, closes := verdict.FirstClose(o)
	last := func() transition { return out[len(out)-1] }
	for _, a := range x.probes(o, t) {
		if a <= last().at || closes && a >= closedAt {
			continue
		}
		if last().to == "open" {
			out = append(out, transition{a, "open", "half-open"})
		}
		failed := a + x.spec.Breaker.CallTimeout
		if o.Armed.End > 0 && a < o.Armed.End && failed < o.Ended && (!closes || failed < closedAt) {
			out = append(out, transition{failed, "half-open", "open"})
		}
	}
	if !closes {
		return out
	}
	out = append(out, closing(last(), closedAt)...)
	for _, c := range o.Calls {
		switch at := c.At + c.Took; {
		case at <= closedAt:
		case c.Outcome == verdict.Rejected && last().to == "closed":
			out = append(out, transition{at, "closed", "open"})
		case c.Outcome == verdict.Success && last().to == "open":
			out = append(out, closing(last(), at)...)
		}
	}
	return out
}

// probes is when calls were let through to the dependency once it had opened: those that
// left no attempt of their own too. Where background is declared, only what came while a
// call was let through tells of it, and one attempt for each.
func (x *experiment) probes(o *verdict.Observed, t verdict.Trip) (at []time.Duration) {
	d := x.declares()
	if at = verdict.LetThrough(d, o, t.At); len(at) > 0 {
		return at
	}
	if !o.Noisy {
		return o.Attempts
	}
	for _, c := range o.Calls {
		away := d.Answer && c.Outcome == verdict.Rejected && c.Took < x.waits()
		if first, tried := firstIn(o.Attempts, verdict.Span{Start: c.At, End: c.At + c.Took + slipped}); tried && !away {
			at = append(at, first)
		}
	}
	slices.Sort(at)
	return at
}

// closing goes from the last state to closed. A probe that went over an open
// connection left no trace of its own.
func closing(last transition, at time.Duration) []transition {
	closed := transition{at, "half-open", "closed"}
	if last.to == "open" {
		return []transition{{at, "open", "half-open"}, closed}
	}
	return []transition{closed}
}
