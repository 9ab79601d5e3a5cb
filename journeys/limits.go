package journeys

import (
	"context"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// limits are those of a whole journey, beside those of its steps; 0 is none.
type limits struct {
	warning, critical time.Duration // of the steps' time together; the browser's is not counted
	timeout           time.Duration // of the run
}

func (l limits) check() error {
	switch {
	case l.critical > 0 && l.warning >= l.critical:
		return kind.At("warning", fmt.Errorf("got %v, want less than critical (%v)", l.warning, l.critical))
	case l.timeout > 0 && l.timeout <= max(l.warning, l.critical):
		return kind.At("timeout", fmt.Errorf("got %v, want more than warning and critical (%v), or the journey could not be that slow",
			l.timeout, max(l.warning, l.critical)))
	}
	return nil
}

// within bounds the time of a run.
func (l limits) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, l.timeout)
}

// judge returns the error of a journey whose steps took too long together, or nil.
func (l limits) judge(took time.Duration) error {
	return results.TooSlow("the journey", took, l.warning, l.critical)
}
