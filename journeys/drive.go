package journeys

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// A Format is a kind of file, beside journey files, that a journey check may name.
type Format struct {
	// Claims reports whether the file or directory at path is of this format.
	Claims func(path string) bool
	// Load makes a check of it; vars and given are those of [Load], and keep says when
	// the check keeps evidence.
	Load func(path string, vars *kind.Vars, given map[string]string, keep Evidence) (results.Check, error)
}

// ErrReplaced says that a page could not answer since another one was taking its place.
var ErrReplaced = errors.New("the page was being replaced")

// Open waits for a free place and opens a page for a run that ends with ctx. Nothing
// that the page tells shows the secrets. Its errors are unknown. Close must be called.
func (p *Pool) Open(ctx context.Context, secrets *kind.Secrets) (*Page, error) {
	opened, err := p.page(ctx)
	if err != nil {
		return nil, err
	}
	opened.secrets, opened.endsBy = secrets, endsBy(ctx)
	if err := opened.prepare(ctx); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

// Close gives the page back, and returns at once.
func (p *Page) Close() { p.close() }

// EndsBy is when the last action must end, so that time is left to keep evidence
// before the run itself ends; the zero time is never.
func (p *Page) EndsBy() time.Time { return p.endsBy }

// Lost returns why the page is no more, or nil while it lives.
func (p *Page) Lost() error { return p.lost() }

// Mask hides the secrets of the configuration and those of this run.
func (p *Page) Mask(text string) string { return p.mask(text) }

// Hide makes text a secret of this run.
func (p *Page) Hide(text string) { p.own.Add(text) }

// Act does one thing within timeout and within the run's time. Its error says who is
// to blame, and what the page shows.
func (p *Page) Act(ctx context.Context, name string, timeout time.Duration, do func(context.Context) error) error {
	begin := time.Now()
	end := begin.Add(timeout)
	if !p.endsBy.IsZero() && p.endsBy.Before(end) {
		end = p.endsBy
	}
	work, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	defer p.onLoss(cancel)()
	if err := do(work); err != nil {
		return p.judge(ctx, action{name: name}, err, time.Since(begin))
	}
	return nil
}

// Visit opens an address and waits until the page has loaded. An answer of 400 and
// above is critical.
func (p *Page) Visit(ctx context.Context, span *results.Span, address string) error {
	return open{URL: address}.Do(ctx, p, span)
}

// DocumentStatus is the HTTP status of the document that was last asked for; 0 is none.
func (p *Page) DocumentStatus() int { return p.watch.documentStatus() }

// Settle acts on the page, and if that leads to another page, waits until that page
// answers.
func (p *Page) Settle(ctx context.Context, act func(context.Context, *chromedp.Target) error) error {
	return p.settle(ctx, chromedp.Func(act))
}

// Expression is JavaScript that calls function, which is JavaScript, with arg.
func Expression(function string, arg any) (string, error) {
	text, err := json.Marshal(arg)
	return "(" + function + ")(" + string(text) + ")", err
}

// Call calls function, which is JavaScript, with arg in the page, waits for the promise
// that it may return, and returns its JSON; null if it is undefined. The error is
// [ErrReplaced] if it may be called again.
func (p *Page) Call(ctx context.Context, function string, arg any) (json.RawMessage, error) {
	js, err := Expression(function, arg)
	if err != nil {
		return nil, err
	}
	out, err := chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise)(ctx, p.target)
	switch {
	case err == nil && len(out) == 0:
		return json.RawMessage("null"), nil
	case err != nil && ctx.Err() == nil && navigating(err):
		return nil, ErrReplaced
	}
	return out, err
}

// Helpers is JavaScript that [Page.Call] may put into the body of a function: how
// elements are found (norm, trees, xpath), named (nameOf, wordsIn), and acted on
// (visible, point, place, reveal, field). They read what they need of a const query.
func Helpers() string { return roleScript + findScript + pageScript + anyScript + actScript }

// Keep puts what the run saw beside the step of span: a picture of that name, the page,
// its requests and its console, as far as the browser can still tell.
func (p *Page) Keep(ctx context.Context, span *results.Span, picture string) {
	p.keep(ctx, span, picture)
}

// AnswerDialogs says how the page's dialogs are answered from here on; text is what is
// typed into a prompt.
func (p *Page) AnswerDialogs(accept bool, text string) {
	rule := dialog{Answer: "dismiss"}
	if accept {
		rule = dialog{Answer: "accept", Text: text}
	}
	p.dialogs.mu.Lock()
	defer p.dialogs.mu.Unlock()
	p.dialogs.rule = rule
}

// LastDialog is what the last dialog of a type said (alert, confirm, prompt); ok is
// whether there was one.
func (p *Page) LastDialog(of string) (text string, ok bool) {
	p.dialogs.mu.Lock()
	defer p.dialogs.mu.Unlock()
	text, ok = p.dialogs.each[page.DialogType(of)]
	return text, ok
}
