package scenarios

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// outage arms the fault, calls until the breaker opens, watches it open, try again and
// open again, and heals.
func (x *experiment) outage(ctx context.Context) error {
	if x.over() {
		return nil
	}
	// A journey in mid-checkout would add attempts of its own to those that are counted.
	release := sync.OnceFunc(x.runner.Hold(x.spec.WhileOpen...))
	defer release()
	// Nor may a check of another dependency reset a breaker that it should not share.
	apart := sync.OnceFunc(x.runner.Hold(x.spec.others()...))
	defer apart()
	held, err := x.level(ctx)
	if err != nil {
		return err
	}
	x.held = held
	x.enter("closed")
	if err := x.arm(ctx, &x.obs.Armed); err != nil {
		return err
	}
	trip, tripped, err := x.trip(ctx)
	if err != nil {
		return err
	}
	if err := x.bites(ctx); err != nil {
		return err
	}
	apart()
	if err := x.open(ctx, trip, tripped); err != nil {
		return err
	}
	if tripped {
		if err := x.halfOpen(ctx, trip); err != nil {
			return err
		}
	}
	release()
	if err := x.whileOpen(ctx, tripped); err != nil {
		return err
	}
	if err := x.abandonProbe(ctx); err != nil {
		return err
	}
	if err := x.heal(ctx); err != nil {
		return err
	}
	if x.spec.lives() {
		x.obs.Slowed = x.obs.Armed
	}
	return nil
}

// trip calls until calls no longer reach the dependency. It gives up when many more
// calls reached it than the breaker may let through.
func (x *experiment) trip(ctx context.Context) (t verdict.Trip, tripped bool, err error) {
	d := x.declares()
	if err := x.waves(ctx); err != nil {
		return t, false, err
	}
	for range x.spec.tripCalls() {
		if err := x.callOnce(ctx); err != nil {
			return t, false, err
		}
		if t, tripped = verdict.FindTrip(d, x.observed()); tripped {
			return t, true, nil
		}
	}
	if why := x.observed().Doubt; why != "" {
		x.note("whether the breaker opened cannot be seen, attempts are not counted: %s", why)
		return t, false, nil
	}
	x.note("the breaker did not open in %s", count(x.spec.tripCalls(), "call"))
	return t, false, nil
}

// open calls at a steady rate for as long as the breaker is declared to stay open; if
// nothing is declared, until it tries again.
func (x *experiment) open(ctx context.Context, t verdict.Trip, tripped bool) error {
	from, done := x.now(), never
	switch {
	case !tripped && x.spec.Breaker.OpenFor.First == 0:
		return nil // nothing says for how long it should be open
	case tripped:
		x.enter("open")
		x.note("the breaker opened: %s reached the dependency, then none", count(t.Calls, "call"))
		x.publishStates(ctx, x.observed())
		from = t.At
		if x.spec.Breaker.OpenFor.First == 0 {
			done = func() bool {
				_, _, again := verdict.OpenTime(x.observed(), t)
				return again
			}
		}
	}
	begin := x.now()
	if err := x.watchOpen(ctx, from+x.spec.openLeast(1)*9/10, done); err != nil {
		return err
	}
	x.noteOpen(begin)
	return x.look(ctx)
}

// watchOpen calls until the time is over or done says so. Where connections live on,
// each call is asked for the packets that it sent.
func (x *experiment) watchOpen(ctx context.Context, until time.Duration, done func() bool) error {
	if !x.obs.Survive {
		return x.callUntil(ctx, until, done)
	}
	for x.now() < until && !done() {
		if err := x.callOnce(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *experiment) noteOpen(begin time.Duration) {
	o := x.observed()
	o.Calls = slices.DeleteFunc(o.Calls, func(c verdict.Call) bool { return c.At < begin })
	o.Attempts = slices.DeleteFunc(o.Attempts, func(a time.Duration) bool { return a < begin })
	rejected := 0
	for _, c := range o.Calls {
		if c.Outcome == verdict.Rejected {
			rejected++
		}
	}
	x.note("%s, %d got the declared answer, slowest %s; %s at the dependency",
		count(len(o.Calls), "call"), rejected, short(verdict.Slowest(o.Calls).Took), count(len(o.Attempts), "attempt"))
}

// whileOpen keeps the fault until each check that must stay well has run under it.
func (x *experiment) whileOpen(ctx context.Context, tripped bool) error {
	since := x.now()
	seen := func() bool {
		return x.ran(x.spec.WhileOpen, since) && x.ran(x.spec.Isolated, x.obs.Armed.Start)
	}
	if seen() {
		return nil
	}
	if tripped {
		x.inPhase("half-open")
	}
	if err := x.callUntil(ctx, since+x.spec.watchTime(), seen); err != nil {
		return err
	}
	meanwhile := slices.DeleteFunc(x.observed().Checks, func(c verdict.CheckRun) bool {
		return c.At < since || !slices.Contains(x.spec.WhileOpen, c.Name)
	})
	for _, c := range distinct(meanwhile) {
		x.note("check %s is %s while the dependency is away: %s", c.Name, c.Status, c.Message)
	}
	return x.look(ctx)
}
