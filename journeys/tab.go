package journeys

import (
	"context"
	"errors"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

var errPageCrashed = errors.New("the browser's process for this page crashed")

// A tab is one page of a browser, in a profile of its own that ends with it. It lives
// until it is closed or lost, whatever becomes of the run that opened it.
type tab struct {
	browser *browser
	ctx     context.Context //nolint:containedctx // chromedp keeps a tab in a context
	fail    context.CancelCauseFunc
	end     context.CancelFunc // waits until the browser has closed it, or for 5 seconds
	watch   *watch
}

// tab prepares a tab; attach opens it.
func (b *browser) tab() tab {
	ctx, fail := context.WithCancelCause(b.ctx)
	w := newWatch(func() { fail(errPageCrashed) })
	ctx, end := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.event))
	return tab{b, ctx, fail, end, w}
}

func (t tab) attach() error { return chromedp.Do(t.ctx) }

// greet asks the tab for a sign of life.
func (t tab) greet() error {
	_, err := cdp.Call(t.ctx, t.target(), runtime.Evaluate, runtime.EvaluateParams{Expression: "0"})
	return err
}

func (t tab) target() *chromedp.Target { return t.inside().Target }

func (t tab) inside() *chromedp.Context { return chromedp.FromContext(t.ctx) }

// discard ends the tab with its profile, without asking the page, which may hang.
// ctx is the pool's.
func (t tab) discard(ctx context.Context) {
	if c := t.inside(); c.Browser != nil && c.BrowserContextID != "" && t.browser.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(ctx, discardLimit)
		// What goes wrong here is tried again by end.
		_, _ = cdp.Call(ctx, c.Browser, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: c.BrowserContextID})
		cancel()
	}
	t.fail(nil)
	t.end()
}

const discardLimit = 2 * time.Second

// lost returns why the tab is no more, or nil while it lives.
func (t tab) lost() error {
	switch cause := context.Cause(t.ctx); {
	case cause == nil:
		return nil
	case errors.Is(cause, context.Canceled):
		return errors.New("the browser ended while the journey was under way")
	default:
		return cause
	}
}

// onLoss arranges that f is called when the tab is no more, until stop is called.
func (t tab) onLoss(f func()) (stop func() bool) { return context.AfterFunc(t.ctx, f) }
