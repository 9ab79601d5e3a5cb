package journeys

import (
	"context"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type doubleClick struct {
	Selector
}

func doubleClickKind() kind.Kind[Action] {
	return kind.Of("double_click", "clicks an element twice in quick succession",
		"text: Mug\n", doubleClick{},
		func(s doubleClick) (Action, error) { return s, s.required("css") })
}

// String implements [Action].
func (a doubleClick) String() string { return "double click " + a.Selector.String() }

// Do implements [Action]. If that leads to another page, it waits until that page
// answers.
func (a doubleClick) Do(ctx context.Context, p *Page, _ *results.Span) error {
	at, err := p.await(ctx, query{Selector: a.Selector, Op: opPoint})
	if err != nil {
		return err
	}
	again := func(params *input.DispatchMouseEventParams) { params.ClickCount = 2 }
	return p.settle(ctx, chromedp.Steps(chromedp.MouseClickXY(at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y, again)))
}
