package journeys

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/chromedp/cdproto/cdp"
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

// A frameless error says that there is no such frame, or none that the page may see.
type frameless struct{ answer }

// Error implements error.
func (e *frameless) Error() string { return e.State }

// evaluateIn calls a JavaScript function in a frame, where window and document are
// those of the frame. Its error is a [*frameless] while there is no such frame.
func evaluateIn[T any](ctx context.Context, p *Page, f *frame, function string) (T, error) {
	var zero T
	find := fmt.Sprintf(`((w) => {
		for (const i of [%s]) if (!(w = w.frames[i])) return null;
		try { return w.document } catch { return undefined }
	})(window)`, strings.Trim(strings.Join(strings.Fields(fmt.Sprint([]int(*f))), ","), "[]"))
	doc, err := chromedp.Evaluate[*runtime.RemoteObject](find)(ctx, p.target)
	switch {
	case err != nil:
		return zero, err
	case doc.Type == "undefined":
		return zero, &frameless{answer{State: "foreign frame", Detail: f.String()}}
	case doc.ObjectID == "":
		return zero, &frameless{answer{State: "no frame", Detail: f.String()}}
	}
	v, err := chromedp.CallFunctionOn[T](function, func(c *runtime.CallFunctionOnParams) {
		yes := true
		c.ObjectID, c.AwaitPromise = doc.ObjectID, &yes
	})(ctx, p.target)
	if _, released := cdp.Call(ctx, p.target, runtime.ReleaseObject, runtime.ReleaseObjectParams{ObjectID: doc.ObjectID}); released != nil && err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return v, err
}

// framelessAs takes a missing frame as an answer: it may still come.
func framelessAs(a answer, err error) (answer, error) {
	if missing, ok := errors.AsType[*frameless](err); ok {
		return missing.answer, nil
	}
	return a, err
}
