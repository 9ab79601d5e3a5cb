package scenarios

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/results"
)

// idle watches without a call of ours, for attempts that no call causes.
func (x *experiment) idle(ctx context.Context) error {
	// The scenario's own journeys are no background, whoever else runs them.
	defer x.runner.Hold(x.spec.WhileOpen...)()
	x.note("%v without a call", x.spec.Baseline.Idle)
	x.obs.Idle.Start = x.now()
	if err := sleep(ctx, x.spec.Baseline.Idle); err != nil {
		return err
	}
	x.obs.Idle.End = x.now()
	return x.attempts(ctx)
}

// baseline holds the service to being well before anything is broken.
func (x *experiment) baseline(ctx context.Context) error {
	x.enter("baseline")
	var took []time.Duration
	var wrong verdict.Call
	good := 0
	for range x.spec.Baseline.Calls {
		c, err := x.call(ctx)
		if err != nil {
			return err
		}
		took = append(took, c.Took)
		if c.Outcome == verdict.Success {
			good++
		} else {
			wrong = c
		}
		if err := sleep(ctx, x.spec.pause()-c.Took); err != nil {
			return err
		}
	}
	slices.Sort(took)
	p99 := rank(took, 99)
	x.note("%d calls, %d succeeded, p99 %v", len(took), good, p99.Round(time.Millisecond/10))
	if part := float64(good) / float64(len(took)); part < float64(x.spec.Baseline.Success) {
		return inconclusive("unhealthy baseline: %d of %d calls succeeded, want %.0f%%; one was %s: %s",
			good, len(took), 100*x.spec.Baseline.Success, wrong.Outcome, wrong.Error)
	}
	if p99 > x.spec.Baseline.P99 {
		return inconclusive("unhealthy baseline: p99 of the calls is %v, want at most %v", p99.Round(time.Millisecond), x.spec.Baseline.P99)
	}
	return x.baselineChecks(ctx)
}

// baselineChecks waits until every named check has looked once and holds it to being well.
func (x *experiment) baselineChecks(ctx context.Context) error {
	if err := x.untilRan(ctx, x.spec.watched(), 0); err != nil {
		return err
	}
	well := 0
	for _, c := range x.observed().Checks {
		switch c.Status {
		case results.Critical:
			return inconclusive("unhealthy baseline: check %s is critical: %s", c.Name, c.Message)
		case results.Unknown: // leaves its property open, and hinders no other
			x.note("check %s could not look: %s", c.Name, c.Message)
		case results.OK, results.Warning:
			well++
		}
	}
	if well > 0 {
		x.note("checks: %d runs, all well", well)
	}
	return nil
}

// untilRan waits until each of the named checks has begun and ended a run after since,
// or the time for that is over: that is left to the verdict.
func (x *experiment) untilRan(ctx context.Context, names []string, since time.Duration) error {
	until := x.now() + x.spec.watchTime()
	if len(x.spec.WhileOpen) == 0 {
		until = x.now() + 10*time.Second
	}
	for x.now() < until {
		o := x.observed()
		ran := func(name string) bool {
			return slices.ContainsFunc(o.Checks, func(c verdict.CheckRun) bool { return c.Name == name && c.At >= since })
		}
		if !slices.ContainsFunc(names, func(name string) bool { return !ran(name) }) {
			return nil
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// outage arms the fault, calls until the breaker opens, watches it open, and heals.
func (x *experiment) outage(ctx context.Context) error {
	// A journey in mid-checkout would add attempts of its own to those that are counted.
	release := x.runner.Hold(x.spec.WhileOpen...)
	released := false
	defer func() {
		if !released {
			release()
		}
	}()
	x.enter("closed")
	if err := x.arm(ctx); err != nil {
		return err
	}
	tripped, err := x.trip(ctx)
	if err != nil {
		return err
	}
	if err := x.bites(ctx); err != nil {
		return err
	}
	if err := x.open(ctx, tripped); err != nil {
		return err
	}
	release()
	released = true
	if err := x.whileOpen(ctx, tripped); err != nil {
		return err
	}
	return x.heal(ctx)
}

func (x *experiment) arm(ctx context.Context) error {
	for _, in := range x.injections {
		if err := in.Arm(ctx); err != nil {
			return inconclusive("fault could not be armed: %v", err)
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
func (x *experiment) trip(ctx context.Context) (bool, error) {
	for n := range x.spec.tripCalls() {
		if _, err := x.call(ctx); err != nil {
			return false, err
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return false, err
		}
		if err := x.attempts(ctx); err != nil {
			return false, err
		}
		if n == 0 {
			if err := x.packets(ctx); err != nil {
				return false, err
			}
		}
		o := x.observed()
		if t, ok := verdict.FindTrip(o); ok {
			x.note("the breaker opened: %d calls reached the dependency, then none", t.Attempts)
			x.publishState(ctx, transition{t.At, "closed", "open"})
			return true, nil
		}
	}
	x.note("the breaker did not open in %d calls", x.spec.tripCalls())
	return false, nil
}

// packets reads what the fault rules have met so far.
func (x *experiment) packets(ctx context.Context) error {
	var sum uint64
	for _, in := range x.injections {
		ev, err := in.Evidence(ctx)
		if err != nil {
			return err
		}
		sum += ev.Packets
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.obs.Packets = sum
	return nil
}

// bites ends a run whose fault met no packet: there is nothing to learn from it.
func (x *experiment) bites(ctx context.Context) error {
	if err := x.packets(ctx); err != nil {
		return err
	}
	if x.obs.Packets > 0 {
		return nil
	}
	return &stop{verdict.Invalid, fmt.Sprintf("the fault met no packet in %d calls: does the service use %s, and from this network namespace?",
		len(x.observed().Calls)-x.spec.Baseline.Calls, x.spec.faults[0].Target())}
}

// open calls at a steady rate for as long as the breaker is declared to stay open.
func (x *experiment) open(ctx context.Context, tripped bool) error {
	if tripped {
		x.enter("open")
	}
	begin := x.now()
	if err := x.callUntil(ctx, begin+x.spec.openFor()*9/10, nil); err != nil {
		return err
	}
	o := x.observed()
	var calls []verdict.Call
	attempts := 0
	for _, c := range o.Calls {
		if c.At >= begin {
			calls = append(calls, c)
		}
	}
	for _, a := range o.Attempts {
		if a >= begin {
			attempts++
		}
	}
	x.note("%d calls, %d got the declared answer, slowest %v; %d attempts at the dependency",
		len(calls), declaredAnswers(calls), verdict.Slowest(calls).Took.Round(10*time.Microsecond), attempts)
	return nil
}

func declaredAnswers(calls []verdict.Call) (n int) {
	for _, c := range calls {
		if c.Outcome == verdict.Rejected {
			n++
		}
	}
	return n
}

// whileOpen keeps the fault until each check that must stay well has run under it.
func (x *experiment) whileOpen(ctx context.Context, tripped bool) error {
	if len(x.spec.WhileOpen) == 0 {
		return nil
	}
	if tripped {
		x.enter("half-open")
	}
	since := x.now()
	waited := make(chan error, 1)
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { waited <- x.untilRan(waiting, x.spec.WhileOpen, since) }()
	if err := x.callUntil(ctx, since+x.spec.watchTime(), waited); err != nil {
		return err
	}
	for _, c := range x.observed().Checks {
		if c.At >= since && slices.Contains(x.spec.WhileOpen, c.Name) {
			x.note("check %s is %s while the dependency is away: %s", c.Name, c.Status, c.Message)
		}
	}
	return nil
}

// callUntil calls at the plan's rate until the time is over or done says so.
func (x *experiment) callUntil(ctx context.Context, until time.Duration, done <-chan error) error {
	for x.now() < until {
		select {
		case err := <-done:
			return err
		default:
		}
		c, err := x.call(ctx)
		if err != nil {
			return err
		}
		if err := sleep(ctx, x.spec.pause()-c.Took); err != nil {
			return err
		}
	}
	return x.attempts(ctx)
}

func (x *experiment) heal(ctx context.Context) error {
	for _, in := range x.injections {
		if err := in.Disarm(ctx); err != nil {
			return fmt.Errorf("%w: %w", errHeal, err)
		}
	}
	x.healed(ctx)
	x.note("fault healed")
	return nil
}

// healed notes that no fault acts any more. It does so once.
func (x *experiment) healed(ctx context.Context) {
	x.mu.Lock()
	first := x.obs.Armed.Start > 0 && x.obs.Armed.End == 0
	if first {
		x.obs.Armed.End = x.now()
	}
	x.mu.Unlock()
	if first {
		x.publishFaults(ctx, x.started.Add(x.obs.Armed.End))
	}
}

// recovery calls until the breaker has closed, or has had its time to.
func (x *experiment) recovery(ctx context.Context) error {
	if _, tripped := verdict.FindTrip(x.observed()); tripped && x.phases[len(x.phases)-1].name != "half-open" {
		x.enter("half-open")
	}
	until := x.now() + x.spec.recovery()
	for x.now() < until {
		c, err := x.call(ctx)
		if err != nil {
			return err
		}
		if at, ok := verdict.FindClose(x.observed()); ok {
			x.closed(ctx, at)
			break
		}
		if err := sleep(ctx, x.spec.pause()-c.Took); err != nil {
			return err
		}
	}
	if x.phases[len(x.phases)-1].name != "recovered" {
		x.note("calls do not succeed again %v after healing", x.spec.recovery())
		return nil
	}
	for range x.spec.Baseline.Calls {
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

// closed notes that the breaker let calls through again at a time that is known only now.
func (x *experiment) closed(ctx context.Context, at time.Duration) {
	x.enter("recovered")
	n := len(x.phases)
	x.phases[n-2].End, x.phases[n-1].Start = at, at
	x.note("calls succeed again %v after healing", (at - x.obs.Armed.End).Round(time.Millisecond))
	if err := x.attempts(ctx); err != nil {
		x.engine.Log.WarnContext(ctx, "attempts not read", "error", err)
	}
	for _, t := range x.transitions(x.observed()) {
		if t.from != "closed" { // that it opened is out already
			x.publishState(ctx, t)
		}
	}
}
