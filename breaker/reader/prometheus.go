package reader

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
)

var prometheusKind = kind.Of("prometheus", "any gauge of a breaker's state, with the meaning of its values", `
url: http://127.0.0.1:8080/metrics
metric: circuit_breaker_state
labels: {name: payments}
values: {"0": closed, "1": half-open, "2": open}
`, prometheus{web: defaults()}, func(p prometheus) (Reader, error) {
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return &p, p.compile()
})

type prometheus struct {
	web
	Metric     string            `yaml:"metric"`
	Labels     map[string]string `yaml:"labels"`      // which series
	Values     map[string]string `yaml:"values"`      // number -> state; or
	StateLabel string            `yaml:"state_label"` // the label that is the state, of a one-hot gauge
	States     map[string]string `yaml:"states"`      // its values -> state; default: their own meaning

	numbers map[float64]State
	states  map[string]State
}

// compile reads the map; libraries number the same states differently, so there is no default.
func (p *prometheus) compile() error {
	switch {
	case p.Metric == "":
		return kind.At("metric", errors.New("got no name, want that of the gauge"))
	case len(p.Values) == 0 && p.StateLabel == "":
		return kind.At("values", errors.New("got no meaning of the numbers, want such as {0: closed, 1: open}, or state_label for a gauge with one series a state"))
	case len(p.Values) > 0 && (p.StateLabel != "" || len(p.States) > 0):
		return kind.At("values", errors.New("got state_label or states beside it, want one of the two forms"))
	}
	p.numbers, p.states = map[float64]State{}, map[string]State{}
	for _, number := range slices.Sorted(maps.Keys(p.Values)) {
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || f != f {
			return kind.At("values."+number, fmt.Errorf("got %q, want a number", number))
		}
		if p.numbers[f], err = meaning(p.Values[number]); err != nil {
			return kind.At("values."+number, err)
		}
	}
	for _, word := range slices.Sorted(maps.Keys(p.States)) {
		var err error
		if p.states[word], err = meaning(p.States[word]); err != nil {
			return kind.At("states."+word, err)
		}
	}
	return nil
}

func meaning(word string) (State, error) {
	s, ok := stateOf(word)
	if !ok {
		return s, errors.New(kind.UnknownWord("state", word, words()))
	}
	return s, nil
}

// Read implements [Reader].
func (p *prometheus) Read(ctx context.Context) (Sample, error) {
	pg, err := p.metrics(ctx, p.base)
	if err != nil {
		return Sample{}, err
	}
	all := pg.series(p.Metric, p.Labels)
	switch {
	case len(all) > 0:
		err = one(p.Metric, all, p.StateLabel)
	case len(pg.series(p.Metric, nil)) > 0:
		err = fmt.Errorf("%s: got no series with the labels, only %s", p.Metric, those("", rests(pg.series(p.Metric, nil), p.StateLabel)))
	default:
		err = noSuch("metric", p.Metric, slices.Collect(maps.Keys(pg)))
	}
	if err != nil {
		return Sample{}, blind(p.base, err)
	}
	if p.StateLabel != "" {
		sample := hot(all, p.StateLabel, p.word)
		sample.NoHalfOpen = len(p.states) > 0 && !slices.Contains(slices.Collect(maps.Values(p.states)), HalfOpen)
		return sample, nil
	}
	return p.number(all[0].value), nil
}

func (p *prometheus) number(value float64) Sample {
	sample := Sample{
		Raw:        fmt.Sprintf("%s %v", p.Metric, value),
		NoHalfOpen: !slices.Contains(slices.Collect(maps.Values(p.numbers)), HalfOpen),
	}
	known := false
	if sample.State, known = p.numbers[value]; !known {
		sample.Note = fmt.Sprintf("%v has no meaning in values", value)
	}
	return sample
}

func (p *prometheus) word(word string) (State, bool) {
	if len(p.states) == 0 {
		return stateOf(word)
	}
	s, ok := p.states[word]
	return s, ok
}

func rests(all []series, except ...string) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.rest(except...))
	}
	return out
}
