package scenarios

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// report judges what was seen. err is what ended the run early, or nil.
func (x *experiment) report(ctx context.Context, err error) *Report {
	x.doubts()
	o := x.observed()
	x.phases[len(x.phases)-1].End = o.Ended
	d, states := x.declares(), x.transitions(o)
	phases := seenPhases(x.phases, states)
	properties := verdict.Judge(d, o)
	v, reason := x.roll(properties, err)
	if v == verdict.Invalid {
		properties = verdict.Void(properties, reason)
	}
	r := &Report{
		Schema: Schema, Scenario: x.spec.Name, Run: x.id, Foreshock: x.engine.Version, Host: x.engine.Host,
		Summary: x.spec.secrets.Mask(x.spec.Summary), Target: x.spec.target(), SHA256: x.spec.sha256, Definition: x.spec.definition(),
		Started: x.started.UTC(), DurationMS: ms(o.Ended),
		Properties: propertyLines(properties, len(states) > 0), Recovery: recoveryOf(d, o), Faults: []FaultLine{}, Phases: []PhaseLine{}, Checks: []CheckLine{}, Timeline: []Entry{},
	}
	for _, ev := range x.evidence {
		r.Faults = append(r.Faults, faultLine(ev, x.started))
	}
	for _, p := range phases {
		r.Phases = append(r.Phases, phaseLine(p, o))
	}
	for _, c := range o.Checks {
		r.Checks = append(r.Checks, CheckLine{c.Name, c.Status, phaseAt(phases, c.At), ms(c.At), ms(c.Took), c.Message})
	}
	r.Timeline = append(r.Timeline, timeline(o, states, r.Faults)...)
	r.Measured = measured(d, o, states, r)
	r.Verdict, r.Reason = v, singular(x.spec.secrets.Mask(reason))
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
