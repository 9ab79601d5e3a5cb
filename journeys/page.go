package journeys

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

//go:embed role.js
var roleScript string

//go:embed find.js
var findScript string

//go:embed page.js
var pageScript string

//go:embed act.js
var actScript string

//go:embed look.js
var lookScript string

// pageFunction is the function that runs in the page, once a look.
func pageFunction() string {
	return "async (query) => {\n" + roleScript + findScript + pageScript + actScript + lookScript + "}"
}

// A Page is a tab in a browser profile of its own, for one run.
type Page struct {
	tab
	target  *chromedp.Target
	close   func() // gives the tab back; returns at once
	lookup  func(ctx context.Context, host string) error
	secrets *kind.Secrets
	own     kind.Secrets      // of this run alone
	values  map[string]string // what store kept
	headers map[string]any    // that every request has
	dialogs dialogs
	endsBy  time.Time // see endsBy
	log     *slog.Logger
	author  Authoring
	shownTo bool   // the author has seen the element of the action that goes on
	profile string // directory of the browser's profile
}

// An operation is what a query asks the page for, beyond finding the element.
type operation string

const (
	opVisible operation = "visible"
	opPoint   operation = "point"  // where to click
	opType    operation = "type"   // put the caret there
	opChoose  operation = "choose" // select an option
	opSee     operation = "see"
	opURL     operation = "url"
	opTitle   operation = "title"
	opCount   operation = "count"
	opValue   operation = "value" // of a field, or of an attribute
	opRead    operation = "read"  // the value, or an attribute
	opText    operation = "text"  // what is shown
	opGone    operation = "gone"
	opEnabled operation = "enabled"
	opPlace   operation = "place"   // where it is, whatever lies over it
	opReveal  operation = "reveal"  // scroll to it
	opWheel   operation = "wheel"   // where to turn the wheel
	opFocus   operation = "focus"   // put the focus there
	opTick    operation = "tick"    // where to click, if the box is not as wanted
	opTicked  operation = "ticked"  // whether the box is as wanted
	opFiles   operation = "files"   // whether it takes files
	opElement operation = "element" // the element itself
	opExplain operation = "explain"
	opOutline operation = "outline" // draw a line around it, for so many milliseconds
)

type query struct {
	Selector
	Op        operation `json:"op"`
	Arg       string    `json:"arg"`
	Attribute string    `json:"attribute,omitempty"`
}

// An answer is what page.js says to a query.
type answer struct {
	State  string  `json:"state"`
	Detail string  `json:"detail"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Done   bool    `json:"done"`  // nothing is left to do
	Outer  int     `json:"outer"` // the state is that of what the selector is in, so many times
}

const ready = "ready"

// ask looks at the page once.
func (p *Page) ask(ctx context.Context, q query) (answer, error) {
	return evaluate[answer](ctx, p, q)
}

func evaluate[T any](ctx context.Context, p *Page, q query) (T, error) {
	arg, err := json.Marshal(q)
	if err != nil {
		var zero T
		return zero, err
	}
	return chromedp.Evaluate[T]("("+pageFunction()+")("+string(arg)+")", chromedp.EvalAwaitPromise)(ctx, p.target)
}

// await looks until a user could do what q asks for. When ctx ends first, its error
// is a [*notReady].
func (p *Page) await(ctx context.Context, q query) (answer, error) {
	const first, last = 10 * time.Millisecond, 100 * time.Millisecond
	var seen answer
	for pause := first; ; pause = min(pause*3/2, last) {
		a, err := p.ask(ctx, q)
		switch {
		case err == nil && a.State == ready && p.show(ctx, q):
			continue // it may have moved meanwhile
		case err == nil && a.State == ready:
			return a, nil
		case err == nil && a.State == "invalid":
			return a, results.Blind(results.CauseInternal, fmt.Errorf("not a selector that the browser knows: %s", a.Detail))
		case err == nil:
			seen = a
			seen.Detail = p.mask(a.Detail) // before any of it is cut
		case ctx.Err() == nil && !navigating(err):
			return a, err
		}
		if pauseErr := sleep(ctx, pause); pauseErr != nil {
			return a, &notReady{q, seen}
		}
	}
}

// navigating reports whether a look failed because the page was just being replaced.
func navigating(err error) bool {
	var protocol *cdproto.Error
	return errors.As(err, &protocol) || errors.Is(err, chromedp.ErrJSUndefined) || errors.Is(err, chromedp.ErrJSNull)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// settle acts, and if that leads to another page, waits until that page answers: what
// follows must not be done to the page that is about to go.
func (p *Page) settle(ctx context.Context, act chromedp.Action[chromedp.Void]) error {
	p.watch.expectLoad()
	if _, err := act(ctx, p.target); err != nil {
		return err
	}
	// A form is submitted by a task that runs after the click. A page that is
	// replaced meanwhile answers with an error, which says what we want to know.
	flush, cancel := context.WithTimeout(ctx, time.Second)
	_, err := chromedp.Evaluate[chromedp.Void]("new Promise(r => setTimeout(r, 0))", chromedp.EvalAwaitPromise)(flush, p.target)
	cancel()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return p.watch.loaded(ctx)
}

// endsBy is when the last action of a run must end, so that time is left to keep
// evidence before the run itself ends; the zero time is never.
func endsBy(ctx context.Context) time.Time {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Time{}
	}
	return deadline.Add(-min(time.Second, time.Until(deadline)/5))
}

// do runs one action within timeout, and within the run's time.
func (p *Page) do(ctx context.Context, span *results.Span, a action, timeout time.Duration) error {
	begin := time.Now()
	end := begin.Add(timeout + p.author.Slow)
	if !p.endsBy.IsZero() && p.endsBy.Before(end) {
		end = p.endsBy
	}
	work, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	defer p.onLoss(cancel)()
	act, err := a.ready(p.values)
	if err == nil {
		p.shownTo = false
		err = act.Do(work, p, span)
	}
	if err == nil {
		p.slowly(ctx)
		return nil
	}
	return p.judge(ctx, a, err, time.Since(begin))
}

// mask hides the secrets of the configuration and those of this run.
func (p *Page) mask(text string) string { return p.own.Mask(p.secrets.Mask(text)) }
