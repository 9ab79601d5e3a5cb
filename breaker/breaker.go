// Package breaker is the circuit breaker that a Go service embeds: sony/gobreaker
// made observable. It adds what an operator needs to see (the state, counters, the
// last transitions with their times) and takes away what surprises in gobreaker:
// callbacks under its lock, a half-open state that a lost call blocks for ever, a
// State method that moves the breaker, and a sixth failure where five were meant.
//
// It imports the standard library and gobreaker alone, so that any service can
// import it. It must never log, hold a lock while foreign code runs, or leave a
// goroutine behind.
package breaker

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/sony/gobreaker/v2"
)

// What gobreaker is told of a call's end; the call's own error is its caller's.
var (
	errFailed    = errors.New("failed")
	errAbandoned = errors.New("abandoned")
)

// A Breaker stands between a service and one of its dependencies. Its methods may be
// called from several goroutines.
type Breaker struct {
	settings Settings
	gate     *gobreaker.TwoStepCircuitBreaker[struct{}]
	journal  *journal

	calls, rejected, failures, successes, abandoned atomic.Uint64
}

// New makes a closed Breaker. It fails if a setting is out of range.
func New(s Settings) (*Breaker, error) {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return nil, err
	}
	j := newJournal(s)
	gate := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        s.Name,
		MaxRequests: uint32(s.HalfOpenCalls), //nolint:gosec // validated
		Timeout:     s.OpenFor,
		ReadyToTrip: s.trips(),
		IsExcluded:  func(err error) bool { return errors.Is(err, errAbandoned) },
		// gobreaker holds its lock here: note it, tell nobody yet.
		OnStateChange: func(_ string, from, to gobreaker.State) { j.add(stateOf(from), stateOf(to)) },
	})
	return &Breaker{settings: s, gate: gate, journal: j}, nil
}

// Name returns the name from the Settings.
func (b *Breaker) Name() string { return b.settings.Name }

// State returns where the breaker stands, and looking does not move it: a breaker
// whose open time is over says open until the next call becomes its probe.
func (b *Breaker) State() State {
	state, _ := b.journal.now()
	return state
}

// Do calls fn unless the breaker is open, and returns fn's error unchanged. When it
// does not call fn, it returns an [*OpenError], which is [ErrOpen], or the error of
// a ctx that was over before.
//
// A call fails if it returns an error that [Settings.Failed] counts, if it panics, or
// if it does not come back in time (see [Settings.CallTimeout]). A deadline in ctx
// that passes is a failure: so a slow dependency shows. A ctx that is cancelled is
// not: the caller went away, which says nothing of the dependency.
func (b *Breaker) Do(ctx context.Context, fn func(context.Context) error) error {
	b.calls.Add(1)
	if err := ctx.Err(); err != nil {
		b.abandoned.Add(1)
		return err
	}
	done, err := b.gate.Allow()
	b.journal.tell() // asking alone may have opened the half
	if err != nil {
		b.rejected.Add(1)
		return b.refusal()
	}
	c := &call{breaker: b, done: done}
	ctx, release := c.limit(ctx)
	end := failed // and so it stays if fn panics or ends its goroutine
	defer func() {
		release()
		c.finish(end)
	}()
	err = fn(ctx)
	end = b.outcome(ctx, err)
	return err
}

// refusal says why a call was not made, as the breaker stands now.
func (b *Breaker) refusal() error {
	state, until := b.journal.now()
	if state != Open {
		return &OpenError{Name: b.settings.Name, State: HalfOpen}
	}
	return &OpenError{Name: b.settings.Name, State: Open, Until: until}
}
