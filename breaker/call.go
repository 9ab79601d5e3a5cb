package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// judge turns the end of a call into what gobreaker is told. ctx is the caller's.
func (b *Breaker) judge(ctx context.Context, err error, took time.Duration) mark {
	isSlow := b.settings.SlowCall > 0 && took > b.settings.SlowCall
	switch b.settings.Classify(ctx, err) {
	case Abandoned:
		return gone
	case Success:
		if isSlow {
			return slow
		}
		return good
	case Failure:
	}
	if later, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok {
		b.journal.notBefore(later.RetryAfter())
	}
	if isSlow {
		return badSlow
	}
	return bad
}

// report counts how a call ended and tells gobreaker. It is called once a call.
func (b *Breaker) report(p pass, m mark) {
	switch {
	case m == gone:
		b.abandoned.Add(1)
	case m.failed():
		b.failures.Add(1)
	default:
		b.successes.Add(1)
	}
	if m.isSlow() {
		b.slow.Add(1)
	}
	// The result of an earlier state would be ignored, but not without moving an open
	// gobreaker whose own, shorter open time is over.
	if p.seq == b.journal.seq.Load() {
		p.done(m)
	}
	if p.probe {
		b.probes.give()
	}
	b.journal.tell()
}

// A call is one that is watched, or that ends in two steps. It is reported once, by
// whoever comes first, and leaves once, when it has really ended.
type call struct {
	breaker *Breaker
	pass    pass
	caller  context.Context //nolint:containedctx // the judgement needs it, when the call has ended
	cancel  func()          // ends the context
	timer   *time.Timer     // reports the call as lost; nil if it may take for ever

	reported, left atomic.Bool
}

// watch returns the context that the call has to use. If it has not come back when its
// time is over, it is reported as failed.
func (c *call) watch(ctx context.Context) context.Context {
	s := &c.breaker.settings
	limit := s.CallTimeout
	if limit > 0 {
		ctx, c.cancel = context.WithTimeout(ctx, limit)
	}
	if c.pass.probe && (limit == 0 || s.ProbeTimeout < limit) {
		limit = s.ProbeTimeout
	}
	if limit > 0 {
		c.timer = time.AfterFunc(limit, c.lose)
	}
	return ctx
}

func (c *call) lose() { c.report(lost) }

// end ends a call that took so long; err is what it ended with.
func (c *call) end(err error, took time.Duration) {
	if c.left.Load() {
		return
	}
	c.leave(c.breaker.judge(c.caller, err, took))
}

// leave gives the call's place back, and reports it unless that was done before.
func (c *call) leave(m mark) {
	if !c.left.CompareAndSwap(false, true) {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.cancel != nil {
		c.cancel()
	}
	c.breaker.inFlight.give()
	c.report(m)
}

func (c *call) report(m mark) {
	if c.reported.CompareAndSwap(false, true) {
		c.breaker.report(c.pass, m)
	}
}
