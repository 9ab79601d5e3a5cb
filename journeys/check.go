package journeys

import (
	"context"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type check struct {
	Selector
	want string // checked or unchecked
	verb string
}

func checkKind() kind.Kind[Action] {
	return kind.Of("check", "ticks a box, a radio button or a switch, if it is not ticked",
		"label: I agree\n", check{want: "checked", verb: "check"},
		func(s check) (Action, error) { return s, s.required("css") })
}

func uncheckKind() kind.Kind[Action] {
	return kind.Of("uncheck", "takes the tick out of a box or a switch, if it has one",
		"label: Newsletter\n", check{want: "unchecked", verb: "uncheck"},
		func(s check) (Action, error) { return s, s.required("css") })
}

// String implements [Action].
func (a check) String() string { return a.verb + " " + a.Selector.String() }

// Do implements [Action]. It clicks at most once, and waits until the box shows it.
func (a check) Do(ctx context.Context, p *Page, _ *results.Span) error {
	at, err := p.await(ctx, query{Selector: a.Selector, Op: opTick, Arg: a.want})
	if err != nil || at.Done {
		return err
	}
	if err := p.settle(ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		return err
	}
	_, err = p.await(ctx, query{Selector: a.Selector, Op: opTicked, Arg: a.want})
	return err
}
