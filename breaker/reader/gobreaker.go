package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/breaker"
	"github.com/foreshock/foreshock/internal/kind"
)

var gobreakerKind = kind.Of("gobreaker", "a breaker of package breaker, from what its Handler serves", `
url: http://127.0.0.1:8080/breakers
name: payments
`, gobreaker{web: defaults()}, func(g gobreaker) (Reader, error) {
	if err := g.prepare(); err != nil {
		return nil, err
	}
	return &g, named(g.Name, "breaker")
})

type gobreaker struct {
	web
	Name string `yaml:"name"`
}

// Read implements [Reader].
func (g *gobreaker) Read(ctx context.Context) (Sample, error) {
	body, err := g.get(ctx, g.base)
	if err != nil {
		return Sample{}, err
	}
	sample, err := parseSnapshots(body, g.Name, time.Now())
	if err != nil {
		return Sample{}, blind(g.base, err)
	}
	return sample, nil
}

// parseSnapshots reads the breaker called name out of what breaker.Handler serves.
func parseSnapshots(body []byte, name string, now time.Time) (Sample, error) {
	var all []breaker.Snapshot
	if err := json.Unmarshal(body, &all); err != nil {
		return Sample{}, fmt.Errorf("want the JSON of breaker.Handler: %w", err)
	}
	var names []string
	var mine []breaker.Snapshot
	for _, s := range all {
		names = append(names, s.Name)
		if s.Name == name {
			mine = append(mine, s)
		}
	}
	switch len(mine) {
	case 0:
		return Sample{}, noSuch("breaker", name, names)
	case 1:
		return ofSnapshot(mine[0], now), nil
	}
	return Sample{}, fmt.Errorf("%w: %d are called %q, want names that differ", errAmbiguous, len(mine), name)
}

func ofSnapshot(s breaker.Snapshot, now time.Time) Sample {
	sample := Sample{
		State: fromBreaker(s.State),
		Raw:   fmt.Sprintf("state=%q since %s", s.State, s.Since.Format(time.RFC3339Nano)),
		Counters: map[string]float64{
			"calls": float64(s.Calls), "failures": float64(s.Failures),
			"successes": float64(s.Successes), "not_permitted": float64(s.Rejected),
		},
	}
	switch {
	case sample.State == Unknown:
		sample.Raw, sample.Note = "", "got no state"
	case s.State == breaker.Open && !s.Until.IsZero() && s.Until.Before(now):
		sample.Note = "its open time is over: the next call is its probe"
	}
	for _, t := range s.Transitions {
		sample.Events = append(sample.Events, Event{At: t.At, From: fromBreaker(t.From), To: fromBreaker(t.To)})
	}
	return sample
}

func fromBreaker(s breaker.State) State {
	switch s {
	case breaker.Closed:
		return Closed
	case breaker.HalfOpen:
		return HalfOpen
	case breaker.Open:
		return Open
	}
	return Unknown
}
