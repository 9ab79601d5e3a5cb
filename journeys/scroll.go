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
	In Selector `yaml:"in"` // empty is the page
}

func scrollKind() kind.Kind[Action] {
	return kind.Of("scroll", "scrolls to an element, or turns the mouse wheel by some pixels over the page or an element",
		"to: {text: Imprint}\n", scroll{},
		func(s scroll) (Action, error) {
			switch {
			case s.To.Value == "" && s.By == 0:
				return nil, kind.At("to", errors.New("got none, want the selector of an element, or by: PIXELS"))
			case s.To.Value != "" && (s.By != 0 || s.In.Value != ""):
				return nil, kind.At("to", errors.New("got it beside by or in, want one way to scroll"))
			}
			return s, nil
		})
}

// String implements [Action].
func (a scroll) String() string {
	switch {
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
