package journeys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
)

// A point is a place in pixels of CSS.
type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// UnmarshalNode reads [x, y].
func (p *point) UnmarshalNode(n kind.Node) error {
	var list []float64
	if err := n.Decode(&list); err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("got %d numbers, want [x, y]", len(list))
	}
	p.X, p.Y = list[0], list[1]
	return nil
}

// NodeSchema implements [kind.Describer].
func (p *point) NodeSchema(g *kind.Schemas) *kind.Schema {
	pixels := g.Of(0.0)
	pixels.Minimum = new(float64)
	return kind.ListSchema(pixels, 2)
}

// A pointer says how an element is clicked. The zero value is a click of the left
// button in its middle.
type pointer struct {
	Offset *point        `yaml:"offset"` // from the upper left corner; nil is the middle
	Button string        `yaml:"button"` // empty is left
	Hold   time.Duration `yaml:"hold"`   // between down and up
	With   string        `yaml:"with"`   // mouse, pen or touch; empty is mouse
}

func buttons() map[string]input.MouseButton {
	return map[string]input.MouseButton{
		"": input.MouseButtonLeft, "left": input.MouseButtonLeft, "middle": input.MouseButtonMiddle,
		"right": input.MouseButtonRight, "back": input.MouseButtonBack, "forward": input.MouseButtonForward,
	}
}

func buttonNames() []string { return slices.Sorted(maps.Keys(buttons()))[1:] }

func pointers() []string { return []string{"mouse", "pen", "touch"} }

// fields are the schemas of the keys of a pointer.
func (a *pointer) fields(g *kind.Schemas) map[string]*kind.Schema {
	return g.Fields(*a, map[string]*kind.Schema{
		"button": kind.WordsSchema(buttonNames()...), "with": kind.WordsSchema(pointers()...),
	}).Properties
}

// decode reads the keys of a pointer from n, and a selector from all the others.
func (a *pointer) decode(n kind.Node, s *Selector) error {
	keys := []string{"offset", "button", "hold", "with"}
	rest, own := n, n
	own.Fields, rest.Fields = nil, nil
	for _, f := range n.Fields {
		switch near := kind.Nearest(f.Key.Text, append(keys, selectorKeys()...)); {
		case slices.Contains(keys, f.Key.Text):
			own.Fields = append(own.Fields, f)
		case near != f.Key.Text && slices.Contains(keys, near):
			return f.Key.Errorf("%s", kind.UnknownWord("key", f.Key.Text, append(keys, selectorKeys()...)))
		default:
			rest.Fields = append(rest.Fields, f)
		}
	}
	if err := s.UnmarshalNode(rest); err != nil {
		return err
	}
	if len(own.Fields) == 0 {
		return nil
	}
	type whole pointer
	if err := own.Decode((*whole)(a)); err != nil {
		return err
	}
	return n.Locate(a.check())
}

func (a *pointer) check() error {
	known := buttonNames()
	if _, ok := buttons()[a.Button]; !ok {
		return kind.At("button", errors.New(kind.UnknownWord("button", a.Button, known)))
	}
	if a.With != "" && !slices.Contains(pointers(), a.With) {
		return kind.At("with", errors.New(kind.UnknownWord("pointer", a.With, pointers())))
	}
	if a.With == "touch" && a.Button != "" && a.Button != "left" {
		return kind.At("button", fmt.Errorf("got %s with touch, which has no buttons", a.Button))
	}
	if a.Offset != nil && (a.Offset.X < 0 || a.Offset.Y < 0) {
		return kind.At("offset", errors.New("got less than 0, want pixels from the upper left corner of the element"))
	}
	return nil
}

// suffix says in the name of an action what is not ordinary about the click.
func (a *pointer) suffix() string {
	s := ""
	if a.Button != "" && a.Button != "left" {
		s += " with the " + a.Button + " button"
	}
	if a.With != "" && a.With != "mouse" {
		s += " by " + a.With
	}
	return s
}

// click clicks so many times in quick succession.
func (a *pointer) click(p *Page, at answer, times int) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for n := 1; n <= times; n++ {
			if err := a.down(ctx, t, p, at, n); err != nil {
				return err
			}
			if a.Hold > 0 {
				if err := sleep(ctx, a.Hold); err != nil {
					return err
				}
			}
			if err := a.up(ctx, t, p, at, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *pointer) down(ctx context.Context, t *chromedp.Target, p *Page, at answer, n int) error {
	if a.With == "touch" {
		_, err := cdp.Call(ctx, t, input.DispatchTouchEvent, input.DispatchTouchEventParams{
			Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: at.X, Y: at.Y}}, Modifiers: p.held,
		})
		return err
	}
	return a.mouse(ctx, t, p, at, n, input.DispatchMouseEventTypeMousePressed)
}

func (a *pointer) up(ctx context.Context, t *chromedp.Target, p *Page, at answer, n int) error {
	if a.With == "touch" {
		_, err := cdp.Call(ctx, t, input.DispatchTouchEvent, input.DispatchTouchEventParams{
			Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}, Modifiers: p.held,
		})
		return err
	}
	return a.mouse(ctx, t, p, at, n, input.DispatchMouseEventTypeMouseReleased)
}

func (a *pointer) mouse(ctx context.Context, t *chromedp.Target, p *Page, at answer, n int, typ input.DispatchMouseEventType) error {
	params := input.DispatchMouseEventParams{
		Type: typ, X: at.X, Y: at.Y, Button: buttons()[a.Button], ClickCount: int64(n), Modifiers: p.held,
	}
	if a.With == "pen" {
		params.PointerType = input.DispatchMouseEventPointerTypePen
	}
	_, err := cdp.Call(ctx, t, input.DispatchMouseEvent, params)
	return err
}
