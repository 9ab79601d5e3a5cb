package journeys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// mostRounds bounds a repeat, and is what one until a condition does if it says nothing.
const (
	mostRounds  = 10000
	roundsUntil = 100
)

type repeat struct {
	Times int        `yaml:"times"` // how often, or how often at most (100) with until
	Until *condition `yaml:"until"` // a condition that is asked before each time; nil is all the times
	Each  []action   `yaml:"do"`    // the actions, in turn
}

func repeatKind() kind.Kind[Action] {
	return kind.Of("repeat", "does actions a number of times, or until the page is as said",
		"until: {gone: {text: Load more}}\ntimes: 20\ndo: [{click: {text: Load more}}]\n", repeat{},
		func(s repeat) (Action, error) {
			if s.Times == 0 && s.Until != nil {
				s.Times = roundsUntil
			}
			switch {
			case s.Times == 0:
				return nil, errors.New("got no end, want times: NUMBER or until: CONDITION")
			case s.Times < 1 || s.Times > mostRounds:
				return nil, kind.At("times", fmt.Errorf("got %d, want 1 to %d", s.Times, mostRounds))
			case len(s.Each) == 0:
				return nil, kind.At("do", errors.New("got no action, want at least one"))
			}
			return s, nil
		})
}

// NodeSchema implements [kind.Describer].
func (a *repeat) NodeSchema(g *kind.Schemas) *kind.Schema {
	s := g.Fields(*a, nil)
	s.Properties["do"].MinItems = 1
	s.Required = []string{"do"}
	s.AnyOf = []*kind.Schema{{Required: []string{"times"}}, {Required: []string{"until"}}}
	return s
}

// String implements [Action].
func (a repeat) String() string {
	if a.Until != nil {
		return "repeat until " + a.Until.String()
	}
	return fmt.Sprintf("repeat %d times", a.Times)
}

// Do implements [Action].
func (a repeat) Do(ctx context.Context, p *Page, span *results.Span) error {
	return a.run(ctx, p, span, patience)
}

func (a repeat) run(ctx context.Context, p *Page, span *results.Span, timeout time.Duration) error {
	for round := 1; ; round++ {
		done, err := a.over(ctx, p, round, timeout)
		span.Set("rounds", float64(round-1))
		switch {
		case err != nil:
			return err
		case done:
			return nil
		case round > a.Times:
			return results.Fault(results.CauseAnswer, fmt.Errorf("still not so after %d rounds", a.Times))
		}
		if err := p.all(ctx, span, a.Each, timeout, fmt.Sprintf("round %d", round)); err != nil {
			return err
		}
	}
}

// over reports whether no other round is wanted.
func (a repeat) over(ctx context.Context, p *Page, round int, timeout time.Duration) (bool, error) {
	if a.Until == nil {
		return round > a.Times, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout+a.Until.Within)
	defer cancel()
	return a.Until.holds(ctx, p)
}
