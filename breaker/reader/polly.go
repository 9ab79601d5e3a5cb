package reader

import (
	"context"
	"fmt"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

var pollyKind = kind.Of("polly", "a circuit breaker of Polly 8, from the events it counts through OpenTelemetry", `
url: http://127.0.0.1:8080/metrics
name: inventory-client
labels: {strategy_name: CircuitBreaker}
`, polly{web: defaults()}, func(p polly) (Reader, error) {
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return &p, named(p.Name, "pipeline")
})

type polly struct {
	web
	Name   string            `yaml:"name"`   // of the pipeline
	Labels map[string]string `yaml:"labels"` // such as pipeline_instance or strategy_name

	tracker tracker
}

// The labels by which Polly's events differ within one strategy.
func pollyEventLabels() []string {
	return []string{"event_name", "event_severity", "exception_type", "operation_key"}
}

// Read implements [Reader].
func (p *polly) Read(ctx context.Context) (Sample, error) {
	pg, err := p.metrics(ctx, p.base)
	if err != nil {
		return Sample{}, err
	}
	events := pollyEvents(pg)
	mine := with(p.Labels, "pipeline_name", p.Name)
	counts := map[string]float64{}
	var names []string
	var circuit []series
	for _, s := range events {
		names = append(names, s.labels["pipeline_name"])
		if s.has(mine) && strings.HasPrefix(s.labels["event_name"], "OnCircuit") {
			counts[s.labels["event_name"]] += s.value
			circuit = append(circuit, s)
		}
	}
	if len(circuit) == 0 {
		p.tracker = tracker{}
		return Sample{Note: fmt.Sprintf("no transition of %q is counted yet, and Polly tells of nothing else; pipelines: %s", p.Name, those(p.Name, names))}, nil
	}
	if err := one(p.Name, circuit, pollyEventLabels()...); err != nil {
		return Sample{}, blind(p.base, err)
	}
	p.tracker.see(moves{
		natural(counts["OnCircuitOpened"]), natural(counts["OnCircuitHalfOpened"]), natural(counts["OnCircuitClosed"]),
	})
	sample := Sample{
		Raw: fmt.Sprintf("OnCircuitOpened %v, OnCircuitHalfOpened %v, OnCircuitClosed %v",
			counts["OnCircuitOpened"], counts["OnCircuitHalfOpened"], counts["OnCircuitClosed"]),
		Counters: map[string]float64{
			"opened": counts["OnCircuitOpened"], "half_opened": counts["OnCircuitHalfOpened"], "closed": counts["OnCircuitClosed"],
		},
	}
	sample.State, sample.Note = p.tracker.is()
	return sample, nil
}

// pollyEvents lists the counter's series under whichever name an exporter gives it.
func pollyEvents(p page) []series {
	for _, metric := range []string{
		"resilience_polly_strategy_events_total", "resilience_polly_strategy_events",
		"resilience.polly.strategy.events_total", "resilience.polly.strategy.events",
	} {
		if all := p.series(metric, nil); len(all) > 0 {
			for i := range all {
				all[i].labels = undotted(all[i].labels)
			}
			return all
		}
	}
	return nil
}

// undotted gives labels the names they have where dots are not allowed.
func undotted(labels map[string]string) map[string]string {
	out := make(map[string]string, len(labels))
	for k, v := range labels {
		out[strings.ReplaceAll(k, ".", "_")] = v
	}
	return out
}
