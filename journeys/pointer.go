package journeys

import (
	"context"

	"github.com/chromedp/chromedp"
)

// mostPresses is how often a click is done until one is not lost.
const mostPresses = 5

// pressLost is whether the page took away what the mouse pressed before it was let go:
// then the browser makes no click of it.
const pressLost = `(() => {
  const s = window[Symbol.for("foreshock.press")];
  return Boolean(s && s.pressed && !s.pressed.isConnected && !s.clicked);
})()`

// clickAt clicks where q says, and does so again if the page renders it anew under the
// pointer, as users do.
func (p *Page) clickAt(ctx context.Context, q query, click func(at answer) chromedp.Action[chromedp.Void]) error {
	for range mostPresses {
		at, err := p.await(ctx, q)
		if err != nil {
			return err
		}
		if err := p.settle(ctx, click(at)); err != nil {
			return err
		}
		lost, err := chromedp.Evaluate[bool](pressLost)(ctx, p.target)
		if err != nil || !lost { // an error: the page is being replaced
			return nil //nolint:nilerr // as said
		}
		if there, err := p.look(ctx, query{Selector: q.Selector, Op: opVisible}); err != nil || !there {
			return nil //nolint:nilerr // it acted on the press, and is gone
		}
	}
	return nil
}
