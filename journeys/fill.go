package journeys

import (
	"context"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type fill struct {
	Into  Selector `yaml:"into"`
	Value string   `yaml:"value"`
}

func fillKind() kind.Kind[Action] {
	return kind.Of("fill", "gives a field a value, be it a text, a list, a box, a date, a colour or a slider",
		"into: \"#name\"\nvalue: Ada\n", fill{},
		func(s fill) (Action, error) { return s, s.Into.required("into") })
}

// String implements [Action]; the value may be a secret and is left out.
func (a fill) String() string { return "fill " + a.Into.String() }

// Do implements [Action]. A text is typed in place of what the field held; a box takes
// true and false.
func (a fill) Do(ctx context.Context, p *Page, _ *results.Span) error {
	secret := p.noteTyped(a.Value)
	at, err := p.await(ctx, query{Selector: a.Into, Op: opFill, Arg: a.Value, Secret: secret})
	switch {
	case err != nil:
		return err
	case at.Done:
		return p.settle(ctx, chromedp.Steps()) // a page may go on when a list changes
	case at.Detail == "box":
		return p.settle(ctx, (&pointer{}).click(p, at, 1))
	}
	return p.settle(ctx, typed(a.Value))
}
