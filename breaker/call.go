package breaker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// An outcome is what a call that was let through says of the dependency.
type outcome uint8

const (
	failed outcome = iota
	succeeded
	abandoned // the caller went away: it says nothing
)

// outcome judges a call by its error and by ctx, the context it was given.
func (b *Breaker) outcome(ctx context.Context, err error) outcome {
	switch {
	case err == nil:
		return succeeded
	case errors.Is(ctx.Err(), context.Canceled):
		return abandoned
	case b.settings.Failed(err):
		return failed
	}
	return succeeded
}

// A call was let through, and its end is reported to gobreaker exactly once.
type call struct {
	breaker *Breaker
	done    func(error)
	once    sync.Once
}

// limit gives the call its time: if it has not come back then, it has failed. release
// ends the watch.
func (c *call) limit(ctx context.Context) (limited context.Context, release func()) {
	s := &c.breaker.settings
	if s.CallTimeout > 0 {
		ctx, cancel := context.WithTimeout(ctx, s.CallTimeout)
		watch := time.AfterFunc(s.CallTimeout, func() { c.finish(failed) })
		return ctx, func() { watch.Stop(); cancel() }
	}
	// A probe finds the breaker half open still, or its outcome matters no more.
	if c.breaker.State() == HalfOpen {
		watch := time.AfterFunc(s.OpenFor, func() { c.finish(failed) })
		return ctx, func() { watch.Stop() }
	}
	return ctx, func() {}
}

// finish reports how the call ended, unless that was done before.
func (c *call) finish(o outcome) {
	c.once.Do(func() {
		b := c.breaker
		switch o {
		case succeeded:
			b.successes.Add(1)
			c.done(nil)
		case abandoned:
			b.abandoned.Add(1)
			c.done(errAbandoned)
		case failed:
			b.failures.Add(1)
			c.done(errFailed)
		}
	})
	c.breaker.journal.tell()
}
