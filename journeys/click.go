package journeys

import (
	"context"
	"maps"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type click struct {
	Selector
	pointer
	times int
}

func clickKind() kind.Kind[Action] {
	return kind.Of("click", "clicks an element once it is there, visible, enabled, still and not covered",
		"\"#buy\"\n", click{times: 1},
		func(s click) (Action, error) { return s, s.required("css") })
}

func doubleClickKind() kind.Kind[Action] {
	return kind.Of("double_click", "clicks an element twice in quick succession",
		"text: Mug\n", click{times: 2},
		func(s click) (Action, error) { return s, s.required("css") })
}

// UnmarshalNode reads a selector, which may have the keys of a pointer beside its own.
func (a *click) UnmarshalNode(n kind.Node) error { return a.decode(n, &a.Selector) }

// NodeSchema implements [kind.Describer].
func (a *click) NodeSchema(g *kind.Schemas) *kind.Schema {
	return g.Def("click", func() *kind.Schema {
		more := mappedSelector(g)
		maps.Copy(more.Properties, a.fields(g))
		return kind.Either(g.Of(Selector{}), more)
	})
}

// String implements [Action].
func (a click) String() string {
	verb := "click "
	if a.times == 2 {
		verb = "double click "
	}
	return verb + a.Selector.String() + a.suffix()
}

// Do implements [Action]. If the click leads to another page, it waits until that
// page answers.
func (a click) Do(ctx context.Context, p *Page, _ *results.Span) error {
	return p.clickAt(ctx, query{Selector: a.Selector, Op: opPoint, Offset: a.Offset}, func(at answer) chromedp.Action[chromedp.Void] {
		return a.click(p, at, a.times)
	})
}
