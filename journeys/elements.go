package journeys

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// elements are those that a selector means, visible or not, and what they must be.
type elements struct {
	Of         Selector          `yaml:"of"         json:"-"`
	AtLeast    *int              `yaml:"at_least"   json:"atLeast,omitempty"`
	AtMost     *int              `yaml:"at_most"    json:"atMost,omitempty"`
	Attributes map[string]string `yaml:"attributes" json:"attributes,omitempty"`
	Properties map[string]any    `yaml:"properties" json:"properties,omitempty"`
	Gone       bool              `yaml:"gone"       json:"gone,omitempty"` // until this holds no more
}

func elementsKind() kind.Kind[Action] {
	return kind.Of("elements", "waits until so many elements are in the page, visible or not, and each has these attributes and properties",
		"of: \"li.item\"\nat_least: 2\nproperties: {className: item}\n", elements{},
		func(s elements) (Action, error) {
			if err := s.Of.required("of"); err != nil {
				return nil, err
			}
			switch {
			case s.Of.Nth != 0:
				return nil, kind.At("of", errors.New("got nth, want all of them"))
			case s.AtLeast != nil && *s.AtLeast < 0:
				return nil, kind.At("at_least", fmt.Errorf("got %d, want 0 or more", *s.AtLeast))
			case s.AtMost != nil && *s.AtMost < 0:
				return nil, kind.At("at_most", fmt.Errorf("got %d, want 0 or more", *s.AtMost))
			case s.AtMost != nil && s.AtLeast != nil && *s.AtMost < *s.AtLeast:
				return nil, kind.At("at_most", fmt.Errorf("got %d, want at_least (%d) or more", *s.AtMost, *s.AtLeast))
			}
			if s.AtLeast == nil && s.AtMost == nil {
				one := 1
				s.AtLeast = &one
			}
			return s, nil
		})
}

// NodeSchema implements [kind.Describer].
func (a *elements) NodeSchema(g *kind.Schemas) *kind.Schema {
	s := g.Fields(*a, nil)
	s.Required = []string{"of"}
	return s
}

// String implements [Action]; what is wanted of them may hold a secret.
func (a elements) String() string {
	var s strings.Builder
	s.WriteString("elements ")
	switch {
	case a.AtLeast != nil && a.AtMost != nil && *a.AtLeast == *a.AtMost:
		fmt.Fprintf(&s, "%d of ", *a.AtLeast)
	case a.AtLeast != nil && a.AtMost != nil:
		fmt.Fprintf(&s, "%d to %d of ", *a.AtLeast, *a.AtMost)
	case a.AtMost != nil:
		fmt.Fprintf(&s, "at most %d of ", *a.AtMost)
	case a.AtLeast != nil && *a.AtLeast != 1:
		fmt.Fprintf(&s, "at least %d of ", *a.AtLeast)
	}
	s.WriteString(a.Of.String())
	if a.Gone {
		s.WriteString(" no more")
	}
	return s.String()
}

// Do implements [Action].
func (a elements) Do(ctx context.Context, p *Page, _ *results.Span) error {
	_, err := p.await(ctx, query{Selector: a.Of, Op: opCompare, Elements: &a})
	return err
}
