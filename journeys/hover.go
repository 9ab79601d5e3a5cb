package journeys

import (
	"context"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type hover struct {
	Selector
}

func hoverKind() kind.Kind[Action] {
	return kind.Of("hover", "moves the mouse over an element, such as one that opens a menu",
		"text: Account\n", hover{},
		func(s hover) (Action, error) { return s, s.required("css") })
}

// String implements [Action].
func (a hover) String() string { return "hover " + a.Selector.String() }

// Do implements [Action].
func (a hover) Do(ctx context.Context, p *Page, _ *results.Span) error {
	at, err := p.await(ctx, query{Selector: a.Selector, Op: opPoint})
	if err != nil {
		return err
	}
	_, err = chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y)(ctx, p.target)
	return err
}
