package journeys

import (
	"context"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type waitFor struct {
	Selector
}

func waitForKind() kind.Kind[Action] {
	return kind.Of("wait_for", "waits until an element is there and visible",
		"\"#order-status\"\n", waitFor{},
		func(s waitFor) (Action, error) { return s, s.required("css") })
}

// String implements [Action].
func (a waitFor) String() string { return "wait for " + a.Selector.String() }

// Do implements [Action].
func (a waitFor) Do(ctx context.Context, p *Page, _ *results.Span) error {
	_, err := p.await(ctx, query{Selector: a.Selector, Op: opVisible})
	return err
}
