package journeys

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chromedp/cdproto/input"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type scroll struct {
	To Selector `yaml:"to"`
	By int      `yaml:"by"` // pixels down
	X  *float64 `yaml:"x"`  // the place itself, in pixels
	Y  *float64 `yaml:"y"`
	In Selector `yaml:"in"` // empty is the page
}

func scrollKind() kind.Kind[Action] {
	return kind.Of("scroll", "scrolls to an element, to a place in pixels, or by some with the mouse wheel, in the page or in an element",
		"to: {text: Imprint}\n", scroll{},
		func(s scroll) (Action, error) {
			switch {
			case s.To.Value == "" && s.By == 0 && !s.placed():
				return nil, kind.At("to", errors.New("got none, want the selector of an element, or by: PIXELS"))
			case s.placed() && (s.To.Value != "" || s.By != 0):
				return nil, kind.At("x", errors.New("got a place beside to or by, want one way to scroll"))
			case s.To.Value != "" && (s.By != 0 || s.In.Value != ""):
				return nil, kind.At("to", errors.New("got it beside by or in, want one way to scroll"))
			}
			return s, nil
		})
}

func (a scroll) placed() bool { return a.X != nil || a.Y != nil }

// place is where to scroll, as the page reads it.
func (a scroll) place() string {
	var at point
	if a.X != nil {
		at.X = *a.X
	}
	if a.Y != nil {
		at.Y = *a.Y
	}
	return fmt.Sprintf("%g,%g", at.X, at.Y)
}

// String implements [Action].
func (a scroll) String() string {
	switch {
	case a.placed() && a.In.Value != "":
		return fmt.Sprintf("scroll to %s in %s", a.place(), a.In)
	case a.placed():
		return "scroll to " + a.place()
	case a.To.Value != "":
		return "scroll to " + a.To.String()
	case a.In.Value != "":
		return fmt.Sprintf("scroll by %d in %s", a.By, a.In)
	}
	return fmt.Sprintf("scroll by %d", a.By)
}

// Do implements [Action].
func (a scroll) Do(ctx context.Context, p *Page, _ *results.Span) error {
	if a.To.Value != "" {
		_, err := p.await(ctx, query{Selector: a.To, Op: opReveal})
		return err
	}
	in := a.In
	if in.Value == "" {
		in = Selector{By: "css", Value: "html"}
	}
	if a.placed() {
		_, err := p.await(ctx, query{Selector: in, Op: opScroll, Arg: a.place()})
		return err
	}
	q := query{Selector: in, Op: opWheel, Arg: strconv.Itoa(a.By)}
	at, err := p.await(ctx, q)
	if err != nil {
		return err
	}
	for { // at most one turn a second
		if err := p.turnWheel(ctx, at, a.By); err != nil || at.Done {
			return err
		}
		moved, err := p.scrolled(ctx, q, at.Detail)
		if err != nil || moved {
			return err
		}
	}
}

// scrolled reports whether what q means has moved from where it was. A browser may
// lose the wheel over a page that it has not drawn yet.
func (p *Page) scrolled(ctx context.Context, q query, from string) (bool, error) {
	for range 20 {
		now, err := p.await(ctx, q)
		if err != nil {
			return false, err
		}
		if now.Detail != from {
			return true, nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return false, &notReady{q, answer{State: "not scrolled"}}
		}
	}
	return false, nil
}

func (p *Page) turnWheel(ctx context.Context, at answer, by int) error {
	turn := struct { // the browser wants both deltas, and cdproto leaves out one of 0
		Type   input.DispatchMouseEventType `json:"type"`
		X      float64                      `json:"x"`
		Y      float64                      `json:"y"`
		DeltaX float64                      `json:"deltaX"`
		DeltaY float64                      `json:"deltaY"`
	}{input.DispatchMouseEventTypeMouseWheel, at.X, at.Y, 0, float64(by)}
	return p.target.Call(ctx, input.DispatchMouseEvent.Method, turn, nil)
}
