package scenarios

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// arm arms every fault; span is told from when, and by healing until when, they held.
func (x *experiment) arm(ctx context.Context, span *verdict.Span) error {
	for _, breaks := range []bool{false, true} { // who watches sees it break
		for n, in := range x.injections {
			if faults.Breaks(x.faults[n]) != breaks {
				continue
			}
			if err := in.Arm(ctx); err != nil {
				return x.cannot(ctx, "fault could not be armed", err)
			}
		}
	}
	x.mu.Lock()
	x.armed = span
	x.armed.Start = x.now()
	x.mu.Unlock()
	for _, f := range x.faults {
		x.note("fault armed: %s %s", f.Kind(), f.Target())
	}
	x.publishFaults(ctx, time.Time{})
	return nil
}

func (x *experiment) heal(ctx context.Context) error {
	if err := x.disarm(ctx); err != nil {
		return x.cannot(ctx, "fault could not be healed in time", err)
	}
	for _, f := range x.faults {
		if faults.Irreversible(f) {
			x.note("%s of %s cannot be healed: it is up to whoever supervises it", f.Kind(), f.Target())
			return nil
		}
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
	first := x.armed != nil && x.armed.End == 0
	if first {
		x.armed.End = at
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
	x.injections = nil
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
