package journeys

import (
	"context"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// dragSteps is how many moves of the mouse a drag has: pages look at some on the way.
const dragSteps = 10

type drag struct {
	From Selector `yaml:"from"`
	To   Selector `yaml:"to"`
}

func dragKind() kind.Kind[Action] {
	return kind.Of("drag", "drags one element onto another",
		"from: {text: Mug}\nto: \"#basket\"\n", drag{},
		func(s drag) (Action, error) {
			if err := s.From.required("from"); err != nil {
				return nil, err
			}
			return s, s.To.required("to")
		})
}

// String implements [Action].
func (a drag) String() string { return "drag " + a.From.String() + " to " + a.To.String() }

// Do implements [Action]. The two must fit into the window together.
func (a drag) Do(ctx context.Context, p *Page, _ *results.Span) error {
	if _, err := p.await(ctx, query{Selector: a.From, Op: opPoint}); err != nil {
		return err
	}
	to, err := p.await(ctx, query{Selector: a.To, Op: opPoint})
	if err != nil {
		return err
	}
	// Looking for the second may have scrolled the first.
	from, err := p.await(ctx, query{Selector: a.From, Op: opPlace})
	if err != nil {
		return err
	}
	return p.settle(ctx, chromedp.DragAndDropXY(from.X, from.Y, to.X, to.Y, dragSteps))
}
