// Package breaker is the circuit breaker that a Go service embeds: sony/gobreaker
// made observable. It adds what an operator needs to see (the state, counters, the
// last transitions with their times and causes), rates over a window, slow calls, a
// limit to calls at once, and takes away what surprises in gobreaker: callbacks under
// its lock, a half-open state that a lost call blocks for ever, a State method that
// moves the breaker, a rate that only a failure makes it look at, and a sixth failure
// where five were meant.
//
// [Breaker.Do] guards a function, [Transport] an HTTP client, breaker/grpc a gRPC
// client; a [Group] holds one breaker for each dependency; [Handler] and breaker/prom
// show them.
//
// It imports the standard library and gobreaker alone, so that any service can
// import it. It must never log, hold a lock while foreign code runs, or leave a
// goroutine behind.
package breaker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// A Breaker stands between a service and one of its dependencies. Its methods may be
// called from several goroutines.
type Breaker struct {
	settings Settings
	gate     *gobreaker.TwoStepCircuitBreaker[struct{}]
	journal  *journal
	window   *window // nil if no rule needs it
	probes   places  // taken while half open
	inFlight places

	calls, rejected, full, failures, successes, abandoned, slow atomic.Uint64

	// Why the state changes next. gobreaker's lock guards it: engine.go.
	cause string
}

// New makes a closed Breaker. It fails if a setting is out of range.
func New(s Settings) (*Breaker, error) {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return nil, err
	}
	return build(s), nil
}

// build makes a Breaker of valid settings.
func build(s Settings) *Breaker {
	b := &Breaker{settings: s, journal: newJournal(s)}
	b.window = newWindow(s, b.journal.start)
	b.gate = gobreaker.NewTwoStepCircuitBreaker[struct{}](b.engine())
	return b
}

// Name returns the name from the Settings.
func (b *Breaker) Name() string { return b.settings.Name }

// State returns where the breaker stands, and looking does not move it: a breaker
// whose open time is over says open until the next call becomes its probe.
func (b *Breaker) State() State { return b.journal.now() }

// Do calls fn unless the breaker is open, and returns fn's error unchanged. When it
// does not call fn, it returns an [*OpenError], which is [ErrOpen], a [*FullError],
// which is [ErrFull], or the error of a ctx that was over before.
//
// A call fails if it returns an error that [Settings.Classify] counts, if it panics
// (the panic goes on), or if it does not come back in time (see
// [Settings.CallTimeout] and [Settings.ProbeTimeout]).
func (b *Breaker) Do(ctx context.Context, fn func(context.Context) error) error {
	p, err := b.admit(ctx)
	if err != nil {
		return err
	}
	if p.probe || b.settings.CallTimeout > 0 {
		return b.watched(ctx, p, fn)
	}
	end := bad // and so it stays if fn panics or ends its goroutine
	defer func() {
		b.inFlight.give()
		b.report(p, end)
	}()
	err = fn(ctx)
	end = b.judge(ctx, err, p.took(b))
	return err
}

// watched makes a call that has to come back in time.
func (b *Breaker) watched(ctx context.Context, p pass, fn func(context.Context) error) error {
	c := &call{breaker: b, pass: p, caller: ctx}
	ctx = c.watch(ctx)
	defer c.leave(bad) // if fn panics or ends its goroutine
	err := fn(ctx)
	c.end(err, p.took(b))
	return err
}

// Allow is Do in two steps, for a call that is no function: it says whether a call may
// be made, and done has to be told how it ended. The call has to use the context that
// is returned, which ends with done at the latest. done may be called from any
// goroutine; only the first time counts. If it is never called, a probe, or any call
// if there is a [Settings.CallTimeout], has failed by then, but its place in
// [Settings.MaxConcurrency] stays taken. The errors are those of Do.
func (b *Breaker) Allow(ctx context.Context) (limited context.Context, done func(error), err error) {
	c, limited, err := b.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	return limited, func(err error) { c.end(err, c.pass.took(b)) }, nil
}

func (b *Breaker) start(ctx context.Context) (*call, context.Context, error) {
	p, err := b.admit(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := &call{breaker: b, pass: p, caller: ctx}
	return c, c.watch(ctx), nil
}

// A pass is the permission to make one call.
type pass struct {
	done  func(error)   // tells gobreaker
	seq   uint64        // of the transition it was given after
	start time.Duration // since the journal's; only if slowness counts
	probe bool          // it holds a place in probes
}

// took returns how long the call has lasted, or 0 if nobody wants to know.
func (p pass) took(b *Breaker) time.Duration {
	if b.settings.SlowCall == 0 {
		return 0
	}
	return time.Since(b.journal.start) - p.start
}

// admit gives the permission to make a call, or the error that says why not.
func (b *Breaker) admit(ctx context.Context) (pass, error) {
	b.calls.Add(1)
	if err := ctx.Err(); err != nil {
		b.abandoned.Add(1)
		return pass{}, err
	}
	if b.journal.isShut() {
		return pass{}, b.refuse()
	}
	// Before gobreaker is asked, whose probes must not be spent on what cannot be made.
	if !b.inFlight.take(b.settings.MaxConcurrency) {
		b.full.Add(1)
		return pass{}, &FullError{Name: b.settings.Name, Limit: b.settings.MaxConcurrency}
	}
	done, err := b.gate.Allow()
	b.journal.tell() // asking alone may have opened the half
	if err != nil {
		b.inFlight.give()
		return pass{}, b.refuse()
	}
	p := pass{done: done, seq: b.journal.seq.Load()}
	if b.State() == HalfOpen {
		// gobreaker limits the probes of one half-open state, we those at once.
		if !b.probes.take(b.settings.HalfOpenCalls) {
			done(gone)
			b.inFlight.give()
			return pass{}, b.refuse()
		}
		p.probe = true
	}
	if b.settings.SlowCall > 0 {
		p.start = time.Since(b.journal.start)
	}
	return p, nil
}

// refuse counts a call that is not made and says why, as the breaker stands now.
func (b *Breaker) refuse() error {
	b.rejected.Add(1)
	state, until := b.journal.where()
	if state != Open {
		return &OpenError{Name: b.settings.Name, State: HalfOpen}
	}
	return &OpenError{Name: b.settings.Name, State: Open, Until: until.UTC()}
}

// String names the breaker and its state, for logs.
func (b *Breaker) String() string { return fmt.Sprintf("breaker %s: %v", b.settings.Name, b.State()) }
