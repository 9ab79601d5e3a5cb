package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
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
	ev.Labels[UntilLabel] = x.until.UTC().Format(time.RFC3339)
	if err := x.engine.Events.Publish(context.WithoutCancel(ctx), results.Record{Event: &ev}); err != nil {
		x.engine.Log.WarnContext(ctx, "event not stored", "kind", ev.Kind, "subject", ev.Subject, "error", err)
	}
}

func (x *experiment) publishScenario(ctx context.Context, end time.Time) {
	x.publish(ctx, results.Event{Kind: results.EventScenario, Subject: x.spec.Name, Start: x.started.UTC(), End: end, Text: x.spec.Summary})
}

// publishFaults opens the event of each fault that was armed last, or closes it at end.
func (x *experiment) publishFaults(ctx context.Context, end time.Time) {
	for _, f := range x.faults {
		to := f.Target().String()
		x.publish(ctx, results.Event{
			Kind: results.EventFault, Subject: to, Start: x.started.Add(x.armed.Start).UTC(), End: utc(end),
			Text: f.Kind() + " " + to, Labels: map[string]string{"fault": f.Kind()},
		})
	}
}

// dependency is what the breaker stands before: a target of packets, where there is one.
func (x *experiment) dependency() string {
	return x.spec.faults[max(slices.IndexFunc(x.spec.faults, faults.Counts), 0)].Target().String()
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// publishStates publishes the transitions that are not out yet, in order.
func (x *experiment) publishStates(ctx context.Context, o *verdict.Observed) {
	all := x.transitions(o)
	for _, t := range all[min(x.published, len(all)):] {
		at := x.started.Add(t.at).UTC()
		x.publish(ctx, results.Event{
			Kind: results.EventBreaker, Subject: x.dependency(), Start: at, End: at,
			Text: "breaker " + t.from + " to " + t.to, Labels: map[string]string{"from": t.from, "to": t.to},
		})
		x.published++
	}
}
