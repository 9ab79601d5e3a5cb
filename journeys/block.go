package journeys

import (
	"context"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// A block is an action that is made of others, each of which waits for the step's
// timeout by itself. What is done in it is a part of its own step: so each run of a
// journey records the same steps, whatever the page was like.
type block interface {
	// run does the actions. An error of one of them is judged already.
	run(ctx context.Context, p *Page, span *results.Span, timeout time.Duration) error
}

// all does actions one after another; where says in errors which time it is.
func (p *Page) all(ctx context.Context, span *results.Span, list []action, timeout time.Duration, where string) error {
	for _, a := range list {
		if err := p.do(ctx, span, a, timeout); err != nil {
			return &inBlock{where, err}
		}
	}
	return nil
}

// inBlock is the error of an action in a block: it is judged, and has its evidence.
type inBlock struct {
	where string
	err   error
}

// Error gives the place in the block and the error.
func (w *inBlock) Error() string { return w.where + ": " + w.err.Error() }

// Unwrap returns the action's error.
func (w *inBlock) Unwrap() error { return w.err }

// isBlock reports whether n is a block: what is in it reads itself, each at its time.
func isBlock(n kind.Node) bool { return n.Has("if") || n.Has("repeat") }
