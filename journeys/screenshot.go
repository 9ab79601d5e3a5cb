package journeys

import (
	"context"
	"errors"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type screenshot struct {
	Name string `yaml:"name"`
}

func screenshotKind() kind.Kind[Action] {
	return kind.Of("screenshot", "keeps a picture of what the page shows",
		"basket\n", screenshot{},
		func(s screenshot) (Action, error) {
			if s.Name == "" {
				return nil, kind.At("name", errors.New("got none, want a name for the picture"))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *screenshot) UnmarshalNode(n kind.Node) error {
	type whole screenshot
	return decodeShort(n, &a.Name, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *screenshot) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(kind.TextSchema(), g.Fields(*a, nil))
}

// String implements [Action].
func (a screenshot) String() string { return "screenshot " + a.Name }

// Do implements [Action].
func (a screenshot) Do(ctx context.Context, p *Page, span *results.Span) error {
	png, err := p.capture(ctx)
	if err != nil {
		return err
	}
	span.Attach(a.Name, "image/png", png)
	return nil
}
