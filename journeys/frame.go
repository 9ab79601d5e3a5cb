package journeys

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
)

// A frame is the way from the page to one of its frames: which of the page's frames,
// which of the frames in that, and so on, from 0.
type frame []int

// UnmarshalNode reads one number or a list of them.
func (f *frame) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.List {
		n.Items = []kind.Node{n}
		n.Shape = kind.List
	}
	type whole frame
	if err := n.Decode((*whole)(f)); err != nil {
		return err
	}
	for i, which := range *f {
		if which < 0 {
			return n.Items[i].Errorf("got %d, want 0 for the first frame, 1 for the second", which)
		}
	}
	if len(*f) == 0 {
		return n.Errorf("got no frame, want the way to one, such as [0] or [0, 1]")
	}
	return nil
}

// NodeSchema implements [kind.Describer].
func (f *frame) NodeSchema(g *kind.Schemas) *kind.Schema {
	which := g.Of(uint(0))
	return kind.Either(which, kind.ListSchema(which, 1))
}

// String implements [fmt.Stringer].
func (f *frame) String() string {
	parts := make([]string, len(*f))
	for i, which := range *f {
		parts[i] = strconv.Itoa(which)
	}
	return "frame " + strings.Join(parts, ".")
}

// where is the frame in which s is looked for; nil is the page itself.
func (s *Selector) where() *frame {
	for ; s != nil; s = s.In {
		if s.Frame != nil {
			return s.Frame
		}
	}
	return nil
}

// A frameless error says that there is no such frame, or none in which one can look.
type frameless struct{ answer }

// Error implements error.
func (e *frameless) Error() string { return e.State }

// A place is a frame that a way from the page has led to.
type place struct {
	context string         // where its JavaScript runs
	strange []strangeFrame // those on the way that are of another origin, the innermost first
}

// frameAt follows the way to a frame. Its error is a [*frameless] while there is none.
func (p *Page) frameAt(ctx context.Context, f *frame) (place, error) {
	var at place
	tree, err := cdp.Call(ctx, p.target, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return at, err
	}
	around := tree.FrameTree
	if p.inner != "" {
		around, at.strange = frameIn(tree.FrameTree, nil, func(f *cdp.Frame) bool { return f.ID == p.inner })
	}
	if around == nil {
		return at, &frameless{answer{State: "no frame", Detail: "frame to which the journey went, any more"}}
	}
	for _, which := range *f {
		if which >= len(around.ChildFrames) {
			return at, &frameless{answer{State: "no frame", Detail: f.String()}}
		}
		inner := around.ChildFrames[which]
		if inner.Frame.SecurityOrigin != around.Frame.SecurityOrigin {
			at.strange = append([]strangeFrame{{inner.Frame.ID, around.Frame.ID, at.strange}}, at.strange...)
		}
		around = inner
	}
	at.context = p.watch.contexts.of(around.Frame.ID)
	if at.context == "" {
		return at, &frameless{answer{State: "empty frame", Detail: f.String()}}
	}
	return at, nil
}

// frameIn finds a frame in others, and those on the way to it that are of another origin.
func frameIn(t *page.FrameTree, strange []strangeFrame, is func(*cdp.Frame) bool) (*page.FrameTree, []strangeFrame) {
	for _, c := range t.ChildFrames {
		way := strange
		if c.Frame.SecurityOrigin != t.Frame.SecurityOrigin {
			way = append([]strangeFrame{{c.Frame.ID, t.Frame.ID, strange}}, strange...)
		}
		if is(c.Frame) {
			return c, way
		}
		if found, way := frameIn(c, way, is); found != nil {
			return found, way
		}
	}
	return nil, nil
}

// goInto goes to the frame of the page at an address, as if it were a tab, and reports
// whether there is one.
func (p *Page) goInto(ctx context.Context, is func(address string) bool) bool {
	tree, err := cdp.Call(ctx, p.target, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return false
	}
	found, _ := frameIn(tree.FrameTree, nil, func(f *cdp.Frame) bool { return is(f.URL + f.URLFragment) })
	if found == nil {
		return false
	}
	p.tabs.stack = append(p.tabs.stack, p.tab)
	p.inner = found.Frame.ID
	return true
}

// frameOf is the frame that q is about; nil is the page itself.
func (p *Page) frameOf(q query) *frame {
	if f := q.where(); f != nil || p.inner == "" {
		return f
	}
	switch q.Op { //nolint:exhaustive // the others are about an element
	case opURL, opTitle, opLoaded, opExplain, opInside, opInFrame:
		return nil
	}
	return &frame{}
}

// askIn looks once at the frame that q is about.
func (p *Page) askIn(ctx context.Context, q query) (answer, error) {
	a, err := framelessAs(evaluate[answer](ctx, p, q))
	if err != nil || a.State != ready || !a.placed(q.Op) {
		return a, err
	}
	at, err := p.frameAt(ctx, p.frameOf(q))
	if err != nil || len(at.strange) == 0 {
		return framelessAs(a, err)
	}
	return p.placeInPage(ctx, at.strange[0], a)
}

// evaluateIn evaluates JavaScript in a frame; nil is the page itself.
func evaluateIn[T any](ctx context.Context, p *Page, f *frame, js string) (T, error) {
	if f == nil && p.inner != "" {
		f = &frame{}
	}
	if f == nil {
		return chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise)(ctx, p.target)
	}
	at, err := p.frameAt(ctx, f)
	if err != nil {
		var zero T
		return zero, err
	}
	return chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise, inContext(at.context))(ctx, p.target)
}

func inContext(id string) chromedp.EvaluateOption {
	return func(e *runtime.EvaluateParams) { e.UniqueContextID = id }
}

// contexts are where the JavaScript of each frame of a tab runs.
type contexts struct {
	mu sync.Mutex
	by map[cdp.FrameID]string
}

func (c *contexts) of(f cdp.FrameID) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[f]
}

func (c *contexts) event(ev any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExecutionContextCreated:
		var aux struct {
			FrameID   cdp.FrameID `json:"frameId"`
			IsDefault bool        `json:"isDefault"`
		}
		if json.Unmarshal(ev.Context.AuxData, &aux) == nil && aux.IsDefault {
			c.by[aux.FrameID] = ev.Context.UniqueID
		}
	case *runtime.EventExecutionContextDestroyed:
		maps.DeleteFunc(c.by, func(_ cdp.FrameID, id string) bool { return id == ev.ExecutionContextUniqueID })
	case *runtime.EventExecutionContextsCleared:
		clear(c.by)
	}
}

// framelessAs takes a missing frame as an answer: it may still come.
func framelessAs(a answer, err error) (answer, error) {
	if missing, ok := errors.AsType[*frameless](err); ok {
		return missing.answer, nil
	}
	return a, err
}
