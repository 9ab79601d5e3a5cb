package reader

import (
	"context"
	"fmt"

	"github.com/foreshock/foreshock/internal/kind"
)

const sentinelChanged = "sentinel_go_circuit_breaker_state_changed_total"

var sentinelKind = kind.Of("sentinel", "a circuit breaker of sentinel-golang, from the transitions it counts", `
url: http://127.0.0.1:8080/metrics
name: payments
`, sentinel{web: defaults()}, func(s sentinel) (Reader, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	return &s, named(s.Name, "resource")
})

type sentinel struct {
	web
	Name   string            `yaml:"name"` // of the resource
	Labels map[string]string `yaml:"labels"`
}

// Read implements [Reader]. Each transition is counted with where it came from and
// where it went, so the counts alone tell where a breaker that began closed stands
// now: the one state that it entered once more than it left.
func (s *sentinel) Read(ctx context.Context) (Sample, error) {
	p, err := s.metrics(ctx, s.base)
	if err != nil {
		return Sample{}, err
	}
	mine := with(s.Labels, "resource", s.Name)
	all := p.series(sentinelChanged, mine)
	if len(all) == 0 {
		names := append(p.values(sentinelChanged, "resource"), p.values("sentinel_go_handled_total", "resource")...)
		return Sample{Note: fmt.Sprintf("no transition of %q is counted yet, and sentinel-golang tells of nothing else; resources: %s", s.Name, those(s.Name, names))}, nil
	}
	if err := one(s.Name, all, "from_state", "to_state"); err != nil {
		return Sample{}, blind(s.base, err)
	}
	sample := sentinelState(all)
	handled := p.series("sentinel_go_handled_total", mine)
	sample.count("calls", handled)
	sample.count("not_permitted", pick(handled, "block_type", "BlockTypeCircuitBreaking"))
	return sample, nil
}

// sentinelState works out the state from the transitions' counts.
func sentinelState(all []series) Sample {
	stays := map[State]float64{Closed: 1}
	sample := Sample{Counters: map[string]float64{}}
	for _, s := range all {
		from, known := stateOf(s.labels["from_state"])
		to, known2 := stateOf(s.labels["to_state"])
		if !known || !known2 {
			return Sample{Note: fmt.Sprintf("a transition from %q to %q has no known meaning", s.labels["from_state"], s.labels["to_state"])}
		}
		stays[from] -= s.value
		stays[to] += s.value
		sample.Counters[from.String()+"_to_"+to.String()] += s.value
	}
	for state, n := range stays {
		switch n {
		case 0:
		case 1:
			sample.State = state
			sample.Raw = fmt.Sprintf("entered %s once more than left", state)
		default:
			return Sample{Note: "the counts of its transitions are not those of one breaker: the resource has several rules, or its rules were loaded anew", Counters: sample.Counters}
		}
	}
	return sample
}
