package journeys

import (
	"context"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A setting is what a journey has asked of its tabs: one that a click opens later gets
// it too.
type setting struct {
	name  string
	apply func(ctx context.Context, t *chromedp.Target) error
}

// set applies a setting, in place of an earlier one of that name, to the page and to
// the tabs that come.
func (p *Page) set(ctx context.Context, name string, apply func(ctx context.Context, t *chromedp.Target) error) error {
	p.settings = append(slices.DeleteFunc(p.settings, func(s setting) bool { return s.name == name }), setting{name, apply})
	return apply(ctx, p.target)
}

// beforePages runs a script in each document before its own ones, and now.
func beforePages(ctx context.Context, t *chromedp.Target, js string) error {
	now := true
	_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: js, RunImmediately: &now})
	return err
}

// prepare makes a page ready for its first action.
func (p *Page) prepare(ctx context.Context) error {
	if p.tabs != nil {
		return nil
	}
	p.tabs = p.followTabs()
	if err := p.set(ctx, "vitals", measure); err != nil {
		return err
	}
	return p.set(ctx, "closed shadow roots", func(ctx context.Context, t *chromedp.Target) error {
		return beforePages(ctx, t, closedRootsScript)
	})
}

// closedRootsScript remembers the shadow roots that a page closes to its own scripts:
// users see what is in them.
const closedRootsScript = `(() => {
  const roots = new WeakMap(), key = Symbol.for("foreshock.roots");
  if (window[key]) return;
  Object.defineProperty(window, key, { value: (e) => roots.get(e) });
  Element.prototype.attachShadow = new Proxy(Element.prototype.attachShadow, {
    apply(attach, host, args) {
      const root = Reflect.apply(attach, host, args);
      roots.set(host, root);
      return root;
    },
  });
})()`
