package journeys

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type choose struct {
	In     Selector `yaml:"in"`
	Value  *string  `yaml:"value"`
	Values []string `yaml:"values"` // of a list that takes several
}

func selectKind() kind.Kind[Action] {
	return kind.Of("select", "selects an option of a list, or several, by value or text",
		"in: \"#qty\"\nvalue: \"2\"\n", choose{},
		func(s choose) (Action, error) {
			if (s.Value == nil) == (s.Values == nil) {
				return nil, kind.At("value", errors.New("want value, or values of a list that takes several"))
			}
			if s.Value != nil {
				s.Values = []string{*s.Value}
			}
			return s, s.In.required("in")
		})
}

// String implements [Action].
func (a choose) String() string { return "select in " + a.In.String() }

// Do implements [Action]. It waits until the list has the option.
func (a choose) Do(ctx context.Context, p *Page, _ *results.Span) error {
	wanted, err := json.Marshal(a.Values)
	if err != nil {
		return err
	}
	if _, err := p.await(ctx, query{Selector: a.In, Op: opChoose, Arg: string(wanted)}); err != nil {
		return err
	}
	return p.settle(ctx, chromedp.Steps()) // a page may go on when its list changes
}
