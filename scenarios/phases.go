package scenarios

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// idle watches without a call of ours, for attempts that no call causes.
func (x *experiment) idle(ctx context.Context) error {
	// The scenario's own journeys are no background, whoever else runs them.
	defer x.runner.Hold(x.spec.WhileOpen...)()
	x.note("%v without a call", x.spec.Baseline.Idle)
	start := x.now()
	if err := sleep(ctx, x.spec.Baseline.Idle); err != nil {
		return err
	}
	x.obs.Idle = verdict.Span{Start: start, End: x.now()}
	return x.attempts(ctx)
}

// baseline holds the service to being well before anything is broken.
func (x *experiment) baseline(ctx context.Context) error {
	x.enter("baseline")
	if warm := x.spec.Load.WarmUp; warm > 0 {
		x.note("%v of calls that nobody judges", warm)
		if err := x.callUntil(ctx, x.now()+warm, never); err != nil {
			return err
		}
	}
	var took []time.Duration
	b := x.spec.Baseline
	mayFail := int(math.Floor(float64(b.Calls)*(1-float64(b.Success)) + 1e-9))
	good := 0
	for n := range b.Calls {
		c, err := x.call(ctx)
		if err != nil {
			return err
		}
		took = append(took, c.Took)
		if c.Outcome == verdict.Success {
			good++
		} else if n+1-good > mayFail {
			return inconclusive("unhealthy baseline: %d of %d calls succeeded, want %.4g%%; the last was %s: %s",
				good, n+1, 100*b.Success, c.Outcome, c.Error)
		}
		if err := sleep(ctx, x.spec.pause()-c.Took); err != nil {
			return err
		}
	}
	slices.Sort(took)
	p99 := rank(took, 99)
	x.note("%s, %d succeeded, p99 %s", count(len(took), "call"), good, short(p99))
	if p99 > b.P99 {
		return inconclusive("unhealthy baseline: p99 of the calls is %v, want at most %v", p99.Round(time.Millisecond), b.P99)
	}
	return x.baselineChecks(ctx)
}

// baselineChecks waits until every named check has looked once and holds it to being well.
func (x *experiment) baselineChecks(ctx context.Context) error {
	for until := x.now() + x.spec.firstLooks(); x.now() < until && !x.ran(x.spec.watched(), 0); {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	well := 0
	var blind []verdict.CheckRun
	for _, c := range x.observed().Checks {
		switch c.Status {
		case results.Critical:
			return inconclusive("unhealthy baseline: check %s is critical: %s", c.Name, c.Message)
		case results.Unknown: // leaves its property open, and hinders no other
			blind = append(blind, c)
		case results.OK, results.Warning:
			well++
		}
	}
	for _, c := range distinct(blind) {
		x.note("check %s could not look: %s", c.Name, c.Message)
	}
	if well > 0 {
		x.note("checks: %s, all well", count(well, "run"))
	}
	return nil
}

// distinct leaves out runs that came to the same as an earlier one of their check.
func distinct(runs []verdict.CheckRun) (out []verdict.CheckRun) {
	for _, c := range runs {
		if !slices.ContainsFunc(out, func(o verdict.CheckRun) bool { return o.Name == c.Name && o.Status == c.Status }) {
			out = append(out, c)
		}
	}
	return out
}

// ran reports whether each of the named checks has begun and ended a run after since.
func (x *experiment) ran(names []string, since time.Duration) bool {
	o := x.observed()
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(o.Checks, func(c verdict.CheckRun) bool { return c.Name == name && c.At >= since })
	})
}

// settle makes calls until one succeeds, so that the breaker counts from nothing: a
// journey may have failed at the dependency without anybody noticing. A slow success
// will not do: the breaker may have lost patience with it and counted a failure.
func (x *experiment) settle(ctx context.Context) error {
	for range settleCalls {
		c, err := x.call(ctx)
		if err != nil {
			return err
		}
		if c.Outcome == verdict.Success && c.Took <= x.spec.Breaker.CallTimeout/2 {
			return nil
		}
		if err := sleep(ctx, x.spec.pause()-c.Took); err != nil {
			return err
		}
	}
	return inconclusive("unhealthy baseline: %d calls in a row did not succeed within half the call timeout of %v just before the fault", settleCalls, x.spec.Breaker.CallTimeout)
}

// recovery is recovers after the outage.
func (x *experiment) recovery(ctx context.Context) error {
	if x.over() {
		return nil
	}
	return x.recovers(ctx)
}

// recovers calls until the breaker has closed, or has had its time to, and then on
// for as many calls as the baseline had.
func (x *experiment) recovers(ctx context.Context) error {
	if _, tripped := verdict.FindTrip(x.declares(), x.view()); tripped {
		x.inPhase("half-open")
	}
	closed := func() bool {
		_, ok := verdict.FirstClose(x.view())
		return ok
	}
	if err := x.callUntil(ctx, x.now()+x.spec.recovery(), closed); err != nil {
		return err
	}
	at, ok := verdict.FirstClose(x.view())
	if !ok {
		x.note("calls do not succeed again %v after healing", x.spec.recovery())
		return nil
	}
	x.enterAt("recovered", at)
	x.note("calls succeed again %v after healing", short(at-x.armed.End))
	x.publishStates(ctx, x.observed())
	if err := x.callTimes(ctx, x.spec.Baseline.Calls); err != nil || x.spec.Breaker.Reader.Shape != kind.Mapping {
		return err
	}
	// A gauge may be late: it is watched for long enough to tell.
	return x.callUntil(ctx, at+gaugeTime, never)
}

// gaugeTime is how long the breaker is watched for what it says of itself once closed.
const gaugeTime = 1800 * time.Millisecond

// view is what was seen so far, for the time in which the fault held last.
func (x *experiment) view() *verdict.Observed {
	o := x.observed()
	o.Armed = *x.armed
	return o
}
