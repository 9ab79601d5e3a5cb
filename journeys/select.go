package journeys

import (
	"context"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type choose struct {
	In    Selector `yaml:"in"`
	Value string   `yaml:"value"`
}

func selectKind() kind.Kind[Action] {
	return kind.Of("select", "selects an option of a list by its value or its text",
		"in: \"#qty\"\nvalue: \"2\"\n", choose{},
		func(s choose) (Action, error) { return s, s.In.required("in") })
}

// String implements [Action].
func (a choose) String() string { return "select in " + a.In.String() }

// Do implements [Action]. It waits until the list has the option.
func (a choose) Do(ctx context.Context, p *Page, _ *results.Span) error {
	if _, err := p.await(ctx, query{Selector: a.In, Op: opChoose, Arg: a.Value}); err != nil {
		return err
	}
	return p.settle(ctx, chromedp.Steps()) // a page may go on when its list changes
}
