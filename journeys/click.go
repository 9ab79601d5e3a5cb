package journeys

import (
	"context"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type click struct {
	Selector
}

func clickKind() kind.Kind[Action] {
	return kind.Of("click", "clicks an element once it is there, visible, enabled, still and not covered",
		"\"#buy\"\n", click{},
		func(s click) (Action, error) { return s, s.required("css") })
}

// String implements [Action].
func (a click) String() string { return "click " + a.Selector.String() }

// Do implements [Action]. If the click leads to another page, it waits until that
// page answers.
func (a click) Do(ctx context.Context, p *Page, _ *results.Span) error {
	return p.clickAt(ctx, a.Selector, func(at answer) chromedp.Action[chromedp.Void] { return chromedp.MouseClickXY(at.X, at.Y) })
}
