package journeys

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type choice struct {
	condition condition
	then      []action
	otherwise []action
}

func ifKind() kind.Kind[Action] {
	return kind.Of("if", "does actions if the page is as said, and others if it is not",
		"visible: \"#cookie-banner\"\nwithin: 1s\nthen: [{click: {text: Accept}}]\n", choice{},
		func(s choice) (Action, error) {
			if len(s.then) == 0 && len(s.otherwise) == 0 {
				return nil, kind.At("then", errors.New("got no action, want then: or else: with at least one"))
			}
			return s, nil
		})
}

// branches are the actions of a choice as they are written.
type branches struct {
	Then []action `yaml:"then"` // done if the condition holds
	Else []action `yaml:"else"` // done if it does not
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *choice) UnmarshalNode(n kind.Node) error {
	asked, rest := takeFields(n, conditionKeys())
	for _, f := range rest.Fields {
		if known := append(conditionKeys(), "then", "else"); !slices.Contains(known, f.Key.Text) {
			return f.Key.Errorf("%s", kind.UnknownWord("key", f.Key.Text, known))
		}
	}
	var f branches
	if err := rest.Decode(&f); err != nil {
		return err
	}
	a.then, a.otherwise = f.Then, f.Else
	return a.condition.UnmarshalNode(asked)
}

// NodeSchema implements [kind.Describer].
func (a *choice) NodeSchema(g *kind.Schemas) *kind.Schema {
	s := a.condition.NodeSchema(g)
	maps.Copy(s.Properties, g.Fields(branches{}, nil).Properties)
	s.AnyOf = []*kind.Schema{{Required: []string{"then"}}, {Required: []string{"else"}}}
	return s
}

// String implements [Action].
func (a choice) String() string { return "if " + a.condition.String() }

// Do implements [Action].
func (a choice) Do(ctx context.Context, p *Page, span *results.Span) error {
	return a.run(ctx, p, span, patience)
}

func (a choice) run(ctx context.Context, p *Page, span *results.Span, timeout time.Duration) error {
	limit := timeout + a.condition.Within
	looking, cancel := context.WithTimeout(ctx, limit)
	holds, err := a.condition.holds(looking, p)
	cancel()
	switch {
	case err != nil:
		return err
	case holds:
		span.Set("then", 1)
		return p.all(ctx, span, a.then, timeout, "then")
	}
	span.Set("then", 0)
	return p.all(ctx, span, a.otherwise, timeout, "else")
}
