package journeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
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

// evaluateIn evaluates JavaScript in a frame; nil is the page itself. Its error is a
// [*frameless] while there is no such frame.
func evaluateIn[T any](ctx context.Context, p *Page, f *frame, js string) (T, error) {
	in := inContext("")
	for _, which := range f.path() {
		find := fmt.Sprintf(`((frame) => {
			const within = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? within(e.shadowRoot) : [])]);
			return frame && within(document).find((e) => e.contentWindow === frame) || null;
		})(window.frames[%d])`, which)
		var zero T
		owner, err := chromedp.Evaluate[*runtime.RemoteObject](find, in)(ctx, p.target)
		if err != nil {
			return zero, err
		}
		if owner.ObjectID == "" {
			return zero, &frameless{answer{State: "no frame", Detail: f.String()}}
		}
		node, err := cdp.Call(ctx, p.target, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: owner.ObjectID})
		if err != nil {
			return zero, err
		}
		id := p.watch.contexts.of(node.Node.FrameID)
		if id == "" {
			return zero, &frameless{answer{State: "foreign frame", Detail: f.String()}}
		}
		in = inContext(id)
	}
	return chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise, in)(ctx, p.target)
}

func inContext(id string) chromedp.EvaluateOption {
	return func(e *runtime.EvaluateParams) { e.UniqueContextID = id }
}

func (f *frame) path() []int {
	if f == nil {
		return nil
	}
	return *f
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
