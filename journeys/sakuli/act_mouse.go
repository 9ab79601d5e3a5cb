package sakuli

import (
	"context"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

const dragSteps = 10

// mouseWords are what a mouse does.
func mouseWords() []word {
	return []word{
		{name: "_click", do: clicking("_click")},
		{name: "_doubleClick", do: clicking("_doubleClick", chromedp.ClickCount(2))},
		{name: "_rightClick", do: clicking("_rightClick", chromedp.ButtonRight)},
		{name: "_check", do: ticking("_check", true)},
		{name: "_uncheck", do: ticking("_uncheck", false)},
		{name: "_setSelected", do: setSelected},
		{name: "_mouseDown", do: holding("_mouseDown", chromedp.MousePressed)},
		{name: "_mouseUp", do: holding("_mouseUp", chromedp.MouseReleased)},
		{name: "_mouseOver", do: mouseOver},
		{name: "_dragDrop", do: dragDrop},
		{name: "_dragDropXY", do: dragDropXY},
	}
}

func splitCombo(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '|' })
}

// clicking clicks where a user would, once nothing lies over the element.
func clicking(name string, opts ...chromedp.MouseOption) func(*machine, args) any {
	return func(m *machine, a args) any {
		q := a.query(0)
		opts := append(slices.Clip(opts), chromedp.ButtonModifiers(m.combo(a.text(1))...))
		m.act(name+"("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
			at, err := await(ctx, m.page, question{Op: "point", Q: []query{q}})
			if err != nil {
				return err
			}
			return settle(ctx, m.page, chromedp.MouseClickXY(at.X, at.Y, opts...))
		})
		return nil
	}
}

func settle(ctx context.Context, p *journeys.Page, act chromedp.Action[chromedp.Void]) error {
	return p.Settle(ctx, func(ctx context.Context, t *chromedp.Target) error {
		_, err := act(ctx, t)
		return err
	})
}

// ticking clicks a box that is not as it should be.
func ticking(name string, want bool) func(*machine, args) any {
	return func(m *machine, a args) any {
		q := a.query(0)
		m.act(name+"("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
			at, err := await(ctx, m.page, question{Op: "tick", Q: []query{q}, Arg: want})
			if err != nil || at.Done {
				return err
			}
			if err := settle(ctx, m.page, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
				return err
			}
			_, err = await(ctx, m.page, question{Op: "ticked", Q: []query{q}, Arg: want})
			return err
		})
		return nil
	}
}

// setSelected chooses options by what they show, their value or their number.
func setSelected(m *machine, a args) any {
	type choice struct {
		Options any  `json:"options"`
		Add     bool `json:"add"`
	}
	q := a.query(0)
	ask := question{Op: "select", Q: []query{q}, Arg: choice{m.option(a.at(1)), a.yes(2)}}
	m.act("_setSelected("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		return m.page.Settle(ctx, func(ctx context.Context, _ *chromedp.Target) error {
			_, err := await(ctx, m.page, ask)
			return err
		})
	})
	return nil
}

func (m *machine) option(v sobek.Value) any {
	if o, ok := v.(*sobek.Object); ok && o.ClassName() == "RegExp" {
		return map[string]string{"re": o.Get("source").String(), "flags": o.Get("flags").String()}
	}
	if sobek.IsUndefined(v) || sobek.IsNull(v) {
		m.throwf("got no option, want what it shows, its value or its number")
	}
	return v.Export()
}

func holding(name string, what input.DispatchMouseEventType) func(*machine, args) any {
	return func(m *machine, a args) any {
		q := a.query(0)
		opts := []chromedp.MouseOption{chromedp.ClickCount(1), chromedp.ButtonModifiers(m.combo(a.text(2))...), chromedp.ButtonLeft}
		if a.yes(1) {
			opts[2] = chromedp.ButtonRight
		}
		m.act(name+"("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
			at, err := await(ctx, m.page, question{Op: "place", Q: []query{q}})
			if err != nil {
				return err
			}
			return settle(ctx, m.page, chromedp.Steps(
				chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y),
				chromedp.MouseEvent(what, at.X, at.Y, opts...)))
		})
		return nil
	}
}

func mouseOver(m *machine, a args) any {
	q := a.query(0)
	held := chromedp.ButtonModifiers(m.combo(a.text(1))...)
	m.act("_mouseOver("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		at, err := await(ctx, m.page, question{Op: "place", Q: []query{q}})
		if err != nil {
			return err
		}
		return settle(ctx, m.page, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y, held))
	})
	return nil
}

// dragDrop drags one element onto another; the two must fit into the window together.
func dragDrop(m *machine, a args) any {
	from, to := a.query(0), a.query(1)
	m.act("_dragDrop("+from.String()+", "+to.String()+")", func(ctx context.Context, _ *results.Span) error {
		if _, err := await(ctx, m.page, question{Op: "point", Q: []query{from}}); err != nil {
			return err
		}
		end, err := await(ctx, m.page, question{Op: "point", Q: []query{to}})
		if err != nil {
			return err
		}
		// Looking for the second may have scrolled the first.
		begin, err := await(ctx, m.page, question{Op: "place", Q: []query{from}})
		if err != nil {
			return err
		}
		return settle(ctx, m.page, chromedp.DragAndDropXY(begin.X, begin.Y, end.X, end.Y, dragSteps))
	})
	return nil
}

// dragDropXY drags an element to a place of the window, or so far from where it is.
func dragDropXY(m *machine, a args) any {
	q := a.query(0)
	x, y, relative := a.number(1), a.number(2), a.yes(3)
	m.act("_dragDropXY("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		from, err := await(ctx, m.page, question{Op: "point", Q: []query{q}})
		if err != nil {
			return err
		}
		if relative {
			x, y = x+from.X, y+from.Y
		}
		return settle(ctx, m.page, chromedp.DragAndDropXY(from.X, from.Y, x, y, dragSteps))
	})
	return nil
}
