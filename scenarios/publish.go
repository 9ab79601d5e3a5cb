package scenarios

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/results"
)

// UntilLabel is the label of an event that says when the kernel ends the fault at the
// latest, in RFC 3339: an event that was never closed is over by then.
const UntilLabel = "until"

// publish puts an event on the road. That it could not be stored does not end a run:
// the hub keeps it and says so.
func (x *experiment) publish(ctx context.Context, ev results.Event) {
	ev.Run, ev.Location = x.id, x.engine.Runner.Location()
	if ev.Labels == nil {
		ev.Labels = map[string]string{}
	}
	ev.Labels["scenario"] = x.spec.Name
	ev.Labels[UntilLabel] = x.started.Add(x.spec.Limit).UTC().Format(time.RFC3339)
	if err := x.engine.Events.Publish(context.WithoutCancel(ctx), results.Record{Event: &ev}); err != nil {
		x.engine.Log.WarnContext(ctx, "event not stored", "kind", ev.Kind, "subject", ev.Subject, "error", err)
	}
}

func (x *experiment) publishScenario(ctx context.Context, end time.Time) {
	x.publish(ctx, results.Event{Kind: results.EventScenario, Subject: x.spec.Name, Start: x.started.UTC(), End: end, Text: x.spec.Summary})
}

// publishFaults opens the event of each fault, or closes it at end.
func (x *experiment) publishFaults(ctx context.Context, end time.Time) {
	for _, f := range x.spec.faults {
		to := f.Target().String()
		x.publish(ctx, results.Event{
			Kind: results.EventFault, Subject: to, Start: x.started.Add(x.obs.Armed.Start).UTC(), End: utc(end),
			Text: f.Kind() + " " + to, Labels: map[string]string{"fault": f.Kind()},
		})
	}
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func (x *experiment) publishState(ctx context.Context, t transition) {
	at := x.started.Add(t.at).UTC()
	x.publish(ctx, results.Event{
		Kind: results.EventBreaker, Subject: x.spec.faults[0].Target().String(), Start: at, End: at,
		Text: "breaker " + t.from + " to " + t.to, Labels: map[string]string{"from": t.from, "to": t.to},
	})
}

// report judges what was seen. err is what ended the run early, or nil.
func (x *experiment) report(ctx context.Context, err error) *Report {
	x.enter("")
	x.phases = x.phases[:len(x.phases)-1]
	x.doubts()
	o := x.observed()
	d := x.spec.declares()
	properties := verdict.Judge(d, o)
	v, reason := x.roll(properties, err)
	if v == verdict.Invalid {
		properties = verdict.Void(properties, reason)
	}
	r := &Report{
		Schema: Schema, Scenario: x.spec.Name, Run: x.id, Foreshock: x.engine.Version, Host: x.engine.Host,
		Definition: x.spec.sha256, Started: x.started.UTC(), DurationMS: ms(o.Ended), Faults: []FaultLine{}, Checks: []CheckLine{},
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
	r.Timeline = timeline(o, x.transitions(o), r.Faults)
	r.Verdict, r.Reason = v, reason
	r.ExitCode = r.Verdict.ExitCode()
	if errors.Is(err, errHeal) {
		r.ExitCode, r.Reason = exitLeft, err.Error()+"; run: foreshock fault heal --all"
	}
	x.publishScenario(ctx, x.started.Add(o.Ended).UTC())
	return r
}

// roll makes the verdict of the properties, the evidence, and how the run ended.
func (x *experiment) roll(ps []verdict.Property, err error) (verdict.Verdict, string) {
	var invalid, abortedBy string
	for _, ev := range x.evidence {
		if ev.Tampered != "" {
			invalid = "the fault's rules were touched during the run: " + ev.Tampered
		}
	}
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
	v, reason := verdict.Roll(ps, invalid, abortedBy, x.spec.Require)
	if s != nil && s.verdict == verdict.Inconclusive && v == verdict.Pass {
		return s.verdict, s.reason
	}
	return v, reason
}

// doubts notes what makes the counts untrustworthy.
func (x *experiment) doubts() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ev := range x.evidence {
		x.obs.Packets = max(x.obs.Packets, ev.Packets)
		switch {
		case ev.Lost:
			x.obs.Doubt = "the kernel's log of attempts overflowed"
		case ev.Lapses > 0:
			x.obs.Doubt = "the lease was renewed too late, so the fault flickered (longest gap " + ev.LongestGap.Round(time.Millisecond).String() + ")"
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

// transitions are the breaker's states as seen from outside: open when calls stopped
// reaching the dependency, half-open with the next that does, closed when they succeed.
func (x *experiment) transitions(o *verdict.Observed) []transition {
	t, ok := verdict.FindTrip(o)
	if !ok {
		return nil
	}
	out := []transition{{t.At, "closed", "open"}}
	closedAt, closes := verdict.FindClose(o)
	for _, a := range o.Attempts {
		if a > t.At && (!closes || a < closedAt) {
			out = append(out, transition{a, "open", "half-open"})
			if a < x.obs.Armed.End {
				out = append(out, transition{a + x.spec.Breaker.CallTimeout, "half-open", "open"})
			}
		}
	}
	if closes {
		out = append(out, transition{closedAt, "half-open", "closed"})
	}
	return out
}

func marshal(r *Report) ([]byte, error) {
	var b bytes.Buffer
	err := r.WriteJSON(&b)
	return b.Bytes(), err
}
