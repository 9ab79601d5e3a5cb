package scenarios

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// call makes one call, notes it, and reads the attempts that it caused.
func (x *experiment) call(ctx context.Context) (verdict.Call, error) {
	at := x.now()
	c := x.one(ctx)
	if err := ctx.Err(); err != nil {
		x.cutOff(at)
		return c, err
	}
	x.made(c)
	return c, x.attempts(ctx)
}

// cutOff notes from when on a call was under way that we ended ourselves: neither it nor
// its attempts say anything.
func (x *experiment) cutOff(at time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cut = at
}

// one makes a call and measures it.
func (x *experiment) one(ctx context.Context) verdict.Call {
	before, at := x.pulse.hunger(), x.now()
	c := x.caller.call(ctx)
	c.At, c.Took = at, x.now()-at
	c.Starved = x.pulse.hunger().since(before)
	c.Error = x.spec.secrets.Mask(c.Error)
	slow := x.spec.Breaker.SlowCall
	c.Slow = c.Outcome == verdict.Success && slow > 0 && c.Took > slow
	return c
}

// made notes calls, in the order in which they began.
func (x *experiment) made(cs ...verdict.Call) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.obs.Calls = append(x.obs.Calls, cs...)
	slices.SortStableFunc(x.obs.Calls, func(a, b verdict.Call) int { return cmp.Compare(a.At, b.At) })
}

// together makes n calls at the same moment, waits for all of them, and notes them as
// apart from those that come one after another.
func (x *experiment) together(ctx context.Context, n int) error {
	at, calls := x.now(), make([]verdict.Call, n)
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() { calls[i] = x.one(ctx) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		x.cutOff(at)
		return err
	}
	for i := range calls {
		calls[i].Apart = true
	}
	x.made(calls...)
	return x.attempts(ctx)
}

// leave makes a call and gives it up after a while, as a user who closes the page.
func (x *experiment) leave(ctx context.Context, after time.Duration) error {
	short, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	at := x.now()
	c := x.one(short)
	if err := ctx.Err(); err != nil {
		x.cutOff(at)
		return err
	}
	c.Apart = true
	if short.Err() != nil {
		c.Outcome, c.Error = verdict.Failed, "given up by the caller, on purpose"
	}
	x.made(c)
	return x.attempts(ctx)
}

// callUntil calls at the plan's rate until the time is over or done says so.
func (x *experiment) callUntil(ctx context.Context, until time.Duration, done func() bool) error {
	for x.now() < until && !done() {
		c, err := x.call(ctx)
		if err != nil {
			return err
		}
		if err := sleep(ctx, x.spec.pause()-c.Took); err != nil {
			return err
		}
	}
	return nil
}

func never() bool { return false }

// callTimes makes n calls at the plan's rate.
func (x *experiment) callTimes(ctx context.Context, n int) error {
	return x.callUntil(ctx, x.until.Sub(x.started), func() bool { n--; return n < 0 })
}

// sleepUntil waits for a time of the run.
func (x *experiment) sleepUntil(ctx context.Context, at time.Duration) error {
	return sleep(ctx, at-x.now())
}
