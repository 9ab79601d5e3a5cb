package journeys

import (
	"context"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type clearing struct {
	Selector
}

func clearKind() kind.Kind[Action] {
	return kind.Of("clear", "empties a field",
		"label: Search\n", clearing{},
		func(s clearing) (Action, error) { return s, s.required("css") })
}

// String implements [Action].
func (a clearing) String() string { return "clear " + a.Selector.String() }

// Do implements [Action].
func (a clearing) Do(ctx context.Context, p *Page, span *results.Span) error {
	return typing{Into: a.Selector}.Do(ctx, p, span)
}
