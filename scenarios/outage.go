package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// outage arms the fault, calls until the breaker opens, watches it open, and heals.
func (x *experiment) outage(ctx context.Context) error {
	// A journey in mid-checkout would add attempts of its own to those that are counted.
	release := x.runner.Hold(x.spec.WhileOpen...)
	released := false
	letGo := func() {
		if !released {
			release()
			released = true
		}
	}
	defer letGo()
	if err := x.settle(ctx); err != nil {
		return err
	}
	x.enter("closed")
	if err := x.arm(ctx); err != nil {
		return err
	}
	trip, tripped, err := x.trip(ctx)
	if err != nil {
		return err
	}
	if err := x.bites(ctx); err != nil {
		return err
	}
	if err := x.open(ctx, trip, tripped); err != nil {
		return err
	}
	letGo()
	if err := x.whileOpen(ctx, tripped); err != nil {
		return err
	}
	return x.heal(ctx)
}

func (x *experiment) arm(ctx context.Context) error {
	for _, in := range x.injections {
		if err := in.Arm(ctx); err != nil {
			return x.cannot(ctx, "fault could not be armed", err)
		}
	}
	x.mu.Lock()
	x.obs.Armed.Start = x.now()
	x.mu.Unlock()
	for _, f := range x.spec.faults {
		x.note("fault armed: %s %s", f.Kind(), f.Target())
	}
	x.publishFaults(ctx, time.Time{})
	return nil
}

// trip calls until calls no longer reach the dependency. It gives up when many more
// calls reached it than the breaker may let through.
func (x *experiment) trip(ctx context.Context) (t verdict.Trip, tripped bool, err error) {
	d := x.spec.declares()
	for range x.spec.tripCalls() {
		c, err := x.call(ctx)
		if err != nil {
			return t, false, err
		}
		if err := x.met(ctx); err != nil {
			return t, false, err
		}
		if err := sleep(ctx, max(tripPause, x.spec.perCall()-c.Took)); err != nil {
			return t, false, err
		}
		if err := x.attempts(ctx); err != nil { // that came after the answer
			return t, false, err
		}
		if t, tripped = verdict.FindTrip(d, x.observed()); tripped {
			return t, true, nil
		}
	}
	x.note("the breaker did not open in %d calls", x.spec.tripCalls())
	return t, false, nil
}

// met notes of the last call whether the fault met packets of it. It is of use until
// the first attempt: that one's repetitions are packets too.
func (x *experiment) met(ctx context.Context) error {
	last := len(x.obs.Attempts) - 1
	if last >= 0 && x.obs.Attempts[last] >= x.obs.Armed.Start {
		return nil
	}
	before := x.packets
	if err := x.look(ctx); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.obs.Calls[len(x.obs.Calls)-1].Met = x.packets > before
	return nil
}

// look reads what the faults have met so far, and ends the run if somebody took them away.
func (x *experiment) look(ctx context.Context) error {
	var sum uint64
	for _, in := range x.injections {
		ev, err := in.Evidence(ctx)
		if err != nil {
			return err
		}
		if ev.Tampered != "" {
			return &stop{verdict.Invalid, touched(ev)}
		}
		sum += ev.Packets
	}
	x.packets = sum
	return nil
}

func touched(ev faults.Evidence) string {
	return fmt.Sprintf("the rules of %s %s were touched during the run: %s", ev.Kind, ev.To, ev.Tampered)
}

// bites ends a run whose fault met no packet: there is nothing to learn from it.
func (x *experiment) bites(ctx context.Context) error {
	if err := x.look(ctx); err != nil {
		return err
	}
	if x.packets > 0 {
		return nil
	}
	return &stop{verdict.Invalid, x.missed()}
}

func (x *experiment) missed() string {
	calls := 0
	for _, c := range x.obs.Calls {
		if c.At >= x.obs.Armed.Start {
			calls++
		}
	}
	return fmt.Sprintf("the fault met no packet in %d calls: does the service use %s, and from this network namespace?", calls, x.spec.faults[0].Target())
}

// open calls at a steady rate for as long as the breaker is declared to stay open; if
// nothing is declared, until it tries again.
func (x *experiment) open(ctx context.Context, t verdict.Trip, tripped bool) error {
	from, done := x.now(), never
	switch {
	case !tripped && x.spec.Breaker.OpenFor == 0:
		return nil // nothing says for how long it should be open
	case tripped:
		x.enter("open")
		x.note("the breaker opened: %d calls reached the dependency, then none", t.Calls)
		x.publishStates(ctx)
		from = t.At
		if x.spec.Breaker.OpenFor == 0 {
			done = func() bool {
				_, _, again := verdict.OpenTime(x.observed(), t)
				return again
			}
		}
	}
	begin := x.now()
	if err := x.callUntil(ctx, from+x.spec.openFor()*9/10, done); err != nil {
		return err
	}
	x.noteOpen(begin)
	return x.look(ctx)
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
	x.note("%d calls, %d got the declared answer, slowest %v; %d attempts at the dependency",
		len(o.Calls), rejected, verdict.Slowest(o.Calls).Took.Round(10*time.Microsecond), len(o.Attempts))
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
		x.enter("half-open")
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

func (x *experiment) heal(ctx context.Context) error {
	if err := x.disarm(ctx); err != nil {
		return x.cannot(ctx, "fault could not be healed in time", err)
	}
	x.note("fault healed")
	return nil
}

// disarm ends every fault at once and keeps the rules, which go on counting.
func (x *experiment) disarm(ctx context.Context) error {
	var errs []error
	for _, in := range x.injections {
		errs = append(errs, in.Disarm(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	x.healed(ctx, x.now())
	return nil
}

// healed notes that no fault acts any more. It does so once.
func (x *experiment) healed(ctx context.Context, at time.Duration) {
	x.mu.Lock()
	first := x.obs.Armed.Start > 0 && x.obs.Armed.End == 0
	if first {
		x.obs.Armed.End = at
	}
	x.mu.Unlock()
	if first {
		x.publishFaults(ctx, x.started.Add(at))
	}
}

// close disarms and removes every fault, even when the run's context has ended.
func (x *experiment) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	// What arrived last is read before the log closes.
	_ = x.attempts(ctx)
	var errs []error
	for _, in := range x.injections {
		err := in.Close(ctx)
		if err != nil {
			err = in.Close(ctx) // it may have failed at reading the evidence alone
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", errHeal, err))
		}
		ev, err := in.Evidence(ctx)
		if err != nil {
			x.obs.Unsteady = "The evidence of the fault could not be read: " + err.Error()
			continue
		}
		x.evidence = append(x.evidence, ev)
	}
	x.healed(ctx, x.lastActed())
	return errors.Join(errs...)
}

// lastActed is when the last fault ended, by whatever ended it.
func (x *experiment) lastActed() time.Duration {
	last := time.Duration(0)
	for _, ev := range x.evidence {
		for _, s := range ev.Spans {
			if s.To.IsZero() {
				return x.now()
			}
			last = max(last, s.To.Sub(x.started))
		}
	}
	if last == 0 {
		return x.now()
	}
	return last
}
