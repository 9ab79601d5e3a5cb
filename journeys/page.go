package journeys

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
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

//go:embed any.js
var anyScript string

//go:embed act.js
var actScript string

//go:embed look.js
var lookScript string

// pageFunction is the function that runs in the page, once a look.
func pageFunction() string {
	return "async (query, owner) => {\n" + roleScript + findScript + pageScript + anyScript + actScript +
		"const look = async () => {\n" + lookScript + "};\n" +
		"const said = await look();\nif (blind && said && said.state) said.blind = true;\nreturn said;\n}"
}

// A Page is a tab in a browser profile of its own, for one run.
type Page struct {
	tab
	target   *chromedp.Target
	close    func() // gives the tab back; returns at once
	lookup   func(ctx context.Context, host string) error
	secrets  *kind.Secrets
	own      kind.Secrets      // of this run alone
	values   map[string]string // what store kept
	headers  map[string]any    // that every request has
	dialogs  dialogs
	held     int64 // keys that modify others, as the browser counts them
	settings []setting
	inner    cdp.FrameID                          // to which the journey went as to a tab; empty is the page
	tabs     *tabs                                // nil before the first action
	agent    emulation.SetUserAgentOverrideParams // as setAgent tells it
	version  string                               // of the browser, before the dot; empty before asks
	pictures pictures
	acted    time.Time // when the last action began that was more than a look
	film     film
	endsBy   time.Time // see endsBy
	log      *slog.Logger
	author   Authoring
	shownTo  bool   // the author has seen the element of the action that goes on
	profile  string // directory of the browser's profile
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
	opPlace   operation = "place"    // where it is, whatever lies over it
	opReveal  operation = "reveal"   // scroll to it
	opWheel   operation = "wheel"    // where to turn the wheel
	opFocus   operation = "focus"    // put the focus there
	opTick    operation = "tick"     // where to click, if the box is not as wanted
	opTicked  operation = "ticked"   // whether the box is as wanted
	opFiles   operation = "files"    // whether it takes files
	opFill    operation = "fill"     // whatever the field is
	opScroll  operation = "scroll"   // to a place in it
	opArrived operation = "arrived"  // address and title
	opCompare operation = "compare"  // number, attributes and properties of elements
	opElement operation = "element"  // the element itself
	opInside  operation = "inside"   // whether a frame is in the element
	opInFrame operation = "in frame" // where a place in a frame is around it
	opLoaded  operation = "loaded"   // the document
	opExplain operation = "explain"
	opOutline operation = "outline" // draw a line around it, for so many milliseconds
)

type query struct {
	Selector
	Op        operation `json:"op"`
	Arg       string    `json:"arg"`
	Attribute string    `json:"attribute,omitempty"`
	Offset    *point    `json:"offset,omitempty"`   // where in the element to point
	Elements  *elements `json:"elements,omitempty"` // what opCompare wants
	Secret    bool      `json:"secret,omitempty"`   // Arg is to be shown to nobody
	X         float64   `json:"x,omitempty"`        // in a frame
	Y         float64   `json:"y,omitempty"`
}

// An answer is what page.js says to a query.
type answer struct {
	State  string      `json:"state"`
	Detail string      `json:"detail"`
	X      float64     `json:"x"`
	Y      float64     `json:"y"`
	Done   bool        `json:"done"`  // nothing is left to do
	Outer  int         `json:"outer"` // the state is that of what the selector is in, so many times
	Blind  bool        `json:"blind"` // there are frames that it could not look into
	frame  cdp.FrameID // in which it was found; empty is the page itself
	cut    bool        // the time was over before frames were looked into
}

const ready = "ready"

// ask looks at the page once.
func (p *Page) ask(ctx context.Context, q query) (answer, error) {
	if p.frameOf(q) != nil {
		return p.askIn(ctx, q)
	}
	a, err := evaluate[answer](ctx, p, q)
	if err == nil && a.Blind && a.nothing(q.Op) {
		return p.askFrames(ctx, q, a)
	}
	return a, err
}

func evaluate[T any](ctx context.Context, p *Page, q query, opts ...chromedp.EvaluateOption) (T, error) {
	arg, err := json.Marshal(q)
	if err != nil {
		var zero T
		return zero, err
	}
	if f := p.frameOf(q); f != nil && len(opts) == 0 {
		at, err := p.frameAt(ctx, f)
		if err != nil {
			var zero T
			return zero, err
		}
		opts = append(opts, inContext(at.context))
	}
	return chromedp.Evaluate[T]("("+pageFunction()+")("+string(arg)+")", append(opts, chromedp.EvalAwaitPromise)...)(ctx, p.target)
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
			return a, invalid(a)
		case err == nil && a.cut && seen.State != "": // a look that saw all of it counts
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

func invalid(a answer) error {
	return results.Blind(results.CauseInternal, fmt.Errorf("not a selector that the browser knows: %s", a.Detail))
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
	return deadline.Add(-min(3*time.Second, time.Until(deadline)/5))
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
	lives := p.tab
	if a.kind == "tab" && p.tabs != nil { // the tab to go from may have closed itself
		lives = p.tabs.home
	}
	defer lives.onLoss(cancel)()
	if err := p.prepare(work); err != nil {
		return p.judge(ctx, a, err, time.Since(begin))
	}
	if !slices.Contains(looks(), a.kind) {
		p.acted = begin
	}
	act, err := a.ready(p.stored)
	if err == nil {
		err = p.tabs.tooMany()
	}
	p.shownTo = false
	if b, ok := act.Action.(block); ok && err == nil {
		err = b.run(ctx, p, span, timeout)
	} else if err == nil {
		err = act.Do(work, p, span)
	}
	if err == nil {
		p.slowly(ctx)
		return nil
	}
	if inner, ok := errors.AsType[*inBlock](err); ok {
		return fmt.Errorf("%s: %w", a.name, inner)
	}
	waited := time.Since(begin)
	p.lastLook(ctx, err)
	return p.judge(ctx, a, err, waited)
}

// lookLimit is how long one look at a page may take after the action's own time.
const lookLimit = 5 * time.Second

// looks are the kinds of action that change nothing.
func looks() []string {
	return []string{"wait_for", "see", "store", "screenshot", "if", "repeat", "wait_until", "elements", "arrive"}
}

// lastLook asks once more what keeps an action from being done, if no look at the page
// came back in its time: on a busy machine the first can take longer than that.
func (p *Page) lastLook(ctx context.Context, err error) {
	var wait *notReady
	if !errors.As(err, &wait) || wait.last.State != "" || ctx.Err() != nil || p.lost() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	if a, err := p.ask(ctx, wait.query); err == nil {
		wait.last = a
		wait.last.Detail = p.mask(a.Detail)
	}
}

// mask hides the secrets of the configuration and those of this run.
func (p *Page) mask(text string) string { return p.own.Mask(p.secrets.Mask(text)) }
