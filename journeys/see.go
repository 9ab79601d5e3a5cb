package journeys

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type see struct {
	Text string   `yaml:"text"`
	In   Selector `yaml:"in"` // empty is the whole page
}

func seeKind() kind.Kind[Action] {
	return kind.Of("see", "waits until the page, or one element of it, shows a text",
		"Order placed\n", see{},
		func(s see) (Action, error) {
			s.Text = strings.Join(strings.Fields(s.Text), " ")
			if s.Text == "" {
				return nil, kind.At("text", errors.New("got none, want a text that the page shows"))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *see) UnmarshalNode(n kind.Node) error {
	type whole see
	return decodeShort(n, &a.Text, (*whole)(a))
}

// String implements [Action].
func (a see) String() string {
	s := "see " + strconv.Quote(a.Text)
	if a.In.Value != "" {
		s += " in " + a.In.String()
	}
	return s
}

// Do implements [Action]. Spaces and line ends count as one space, as they do for
// whoever looks. What the named element shows is told with the result.
func (a see) Do(ctx context.Context, p *Page, span *results.Span) error {
	in := a.In
	if in.Value == "" {
		in = Selector{"css", "body"}
	}
	seen, err := p.await(ctx, query{Selector: in, Op: opSee, Arg: a.Text})
	if err == nil && a.In.Value != "" {
		span.Say(seen.Detail)
	}
	return err
}
