package scenarios

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// A phase is a part of the run with its name.
type phase struct {
	name string
	verdict.Span
}

// A transition is a change of the breaker's state as seen from outside.
type transition struct {
	at       time.Duration
	from, to string
}

// An experiment is one run of a scenario.
type experiment struct {
	engine  *Engine
	spec    *Spec
	id      string
	started time.Time
	caller  *caller
	runner  *run.Runner

	injections []faults.Injection
	seen       []int // attempts read so far, by injection
	evidence   []faults.Evidence
	phases     []phase

	mu      sync.Mutex // guards what the watchers write
	obs     verdict.Observed
	unknown map[string]int // looks in a row that could not look, by check
	abort   context.CancelCauseFunc
}

func newExperiment(e *Engine, s *Spec) *experiment {
	id := strings.ToLower(rand.Text()[:10])
	return &experiment{engine: e, spec: s, id: id, started: time.Now(), caller: newCaller(s, id), unknown: map[string]int{}}
}

func (x *experiment) now() time.Duration { return time.Since(x.started) }

func (x *experiment) note(format string, args ...any) {
	if x.engine.Progress != nil {
		x.engine.Progress(Note{x.now(), x.phases[len(x.phases)-1].name, fmt.Sprintf(format, args...)})
	}
}

// enter begins a phase and ends the one before.
func (x *experiment) enter(name string) {
	now := x.now()
	if n := len(x.phases); n > 0 {
		x.phases[n-1].End = now
	}
	x.phases = append(x.phases, phase{name, verdict.Span{Start: now}})
}

// perform runs the phases in turn. Whatever happens, no fault is armed when it returns.
func (x *experiment) perform(ctx context.Context) (err error) {
	defer x.caller.close()
	x.enter("idle")
	if err := x.prepare(); err != nil {
		return err
	}
	ctx, cancel := context.WithDeadlineCause(ctx, x.started.Add(x.spec.Limit), aborted("the limit of %v was reached", x.spec.Limit))
	defer cancel()
	ctx, x.abort = context.WithCancelCause(ctx)
	defer x.abort(nil)
	defer func() { err = errors.Join(x.why(ctx, err), x.close()) }() //nolint:contextcheck // healing goes on when ctx is what ended the run
	if err := x.install(ctx); err != nil {
		return err
	}
	watching, stopWatching := context.WithCancel(ctx)
	w := &watcher{runner: x.runner, run: x.id, saw: x.saw, wanted: watching}
	defer func() { stopWatching(); w.wait() }()
	for _, step := range []func(context.Context) error{
		x.idle,
		func(ctx context.Context) error { w.start(ctx, x.spec.watched()); return x.baseline(ctx) },
		x.outage, x.recovery,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// why tells an end that came from outside by its reason.
func (x *experiment) why(ctx context.Context, err error) error {
	var s *stop
	if err == nil || errors.As(err, &s) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.As(cause, &s) {
			return s
		}
		return aborted("stopped by a person or a signal")
	}
	return inconclusive("%v", err)
}

func (x *experiment) prepare() error {
	var err error
	if x.runner, err = x.engine.Runner.With(x.spec.inline...); err != nil {
		return inconclusive("%v", err)
	}
	for _, name := range x.spec.watched() {
		if _, ok := x.runner.Entry(name); !ok {
			return inconclusive("check %q: the scenario names it, and neither its checks nor the configuration (-c) has it", name)
		}
	}
	if err := x.engine.Allowed(); err != nil {
		return aborted("%v", err)
	}
	return nil
}

func (x *experiment) install(ctx context.Context) error {
	for _, f := range x.spec.faults {
		in, err := x.engine.Injector.Install(ctx, f, faults.Options{
			Run: x.id, Name: x.spec.Name, Location: x.engine.Runner.Location(), Until: x.started.Add(x.spec.Limit),
		})
		if err != nil {
			return inconclusive("fault %s %s could not be installed: %v", f.Kind(), f.Target(), err)
		}
		x.injections = append(x.injections, in)
		x.seen = append(x.seen, 0)
	}
	return nil
}

// call makes one call and notes it.
func (x *experiment) call(ctx context.Context) (verdict.Call, error) {
	waited := waitedForCPU()
	c := verdict.Call{At: x.now()}
	c.Outcome, c.Error = x.caller.call(ctx)
	c.Took = x.now() - c.At
	c.Starved = waitedForCPU() - waited
	c.Error = x.spec.secrets.Mask(c.Error)
	if err := ctx.Err(); err != nil {
		return c, err // a call that we cut off ourselves says nothing
	}
	x.mu.Lock()
	x.obs.Calls = append(x.obs.Calls, c)
	x.mu.Unlock()
	return c, nil
}

// attempts reads the connection attempts that were seen since the last time.
func (x *experiment) attempts(ctx context.Context) error {
	for i, in := range x.injections {
		as, err := in.Attempts(ctx, x.seen[i])
		x.seen[i] += len(as)
		x.mu.Lock()
		for _, a := range as {
			x.obs.Attempts = append(x.obs.Attempts, a.At.Sub(x.started))
		}
		slices.Sort(x.obs.Attempts)
		if errors.Is(err, faults.ErrLost) {
			x.obs.Doubt = err.Error()
			err = nil
		}
		x.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// observed is a copy of what was seen so far.
func (x *experiment) observed() *verdict.Observed {
	x.mu.Lock()
	defer x.mu.Unlock()
	o := x.obs
	o.Calls, o.Attempts, o.Checks = slices.Clone(o.Calls), slices.Clone(o.Attempts), slices.Clone(o.Checks)
	slices.SortStableFunc(o.Checks, func(a, b verdict.CheckRun) int { return cmp.Compare(a.At, b.At) })
	o.Ended = x.now()
	return &o
}

// saw notes the result of a watched check, and stops the run if it is one that says so.
func (x *experiment) saw(r results.Result) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.obs.Checks = append(x.obs.Checks, verdict.CheckRun{
		Name: r.Check, At: r.Start.Sub(x.started), Took: r.Duration, Status: r.Status, Message: r.Message,
	})
	x.unknown[r.Check]++
	if r.Status != results.Unknown {
		x.unknown[r.Check] = 0
	}
	if !slices.Contains(x.spec.AbortWhen, r.Check) {
		return
	}
	if r.Status == results.Critical || x.unknown[r.Check] >= 2 {
		x.abort(aborted("check %s was %s: %s", r.Check, r.Status, r.Message))
	}
}

// close disarms and removes every fault, even when the run's context has ended.
func (x *experiment) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// What arrived last is read before the log closes.
	_ = x.attempts(ctx)
	var errs []error
	for _, in := range x.injections {
		if err := in.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", errHeal, err))
		}
		ev, err := in.Evidence(ctx)
		if err == nil {
			x.evidence = append(x.evidence, ev)
		}
		errs = append(errs, err)
	}
	x.healed(ctx)
	return errors.Join(errs...)
}
