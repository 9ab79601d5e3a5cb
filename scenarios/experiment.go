package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// closeLimit is how long it may take to disarm and remove the faults.
const closeLimit = 20 * time.Second

// A phase is a part of the run with its name.
type phase struct {
	name string
	verdict.Span
}

// An experiment is one run of a scenario.
type experiment struct {
	engine  *Engine
	spec    *Spec
	id      string
	started time.Time
	until   time.Time // the hard end of faults and run, a whole second as the kernel counts
	caller  *caller
	runner  *run.Runner
	pulse   *pulse

	faults     []faults.Fault // that are installed
	injections []faults.Injection
	lives      bool          // connections live on under a fault
	lingers    time.Duration // for which a fault holds packets
	seen       []int         // attempts read so far, by injection
	evidence   []faults.Evidence
	tries      []try             // of everybody
	cut        time.Duration     // from when on a call was under way that we ended; 0: none was
	whose      string            // why it is not known which of them are the service's, or empty
	packets    uint64            // that came to what the faults count
	bitten     uint64            // packets, threads and processes that the faults have broken
	armed      *verdict.Span     // of obs: when the faults hold, or held last
	held       int               // successes in the breaker's window when the outage began
	lost       bool              // the service did not come back from a first, short outage
	saved      map[string]string // by the setup
	set        bool              // the setup was begun, so that the teardown is due
	untidy     error             // what the teardown came to
	ended      time.Duration     // when all but the teardown was done
	phases     []phase
	published  int // transitions that are out

	mu      sync.Mutex // guards what the watchers write
	obs     verdict.Observed
	unknown map[string]int // looks in a row that could not look, by check
	abort   context.CancelCauseFunc
}

func newExperiment(e *Engine, s *Spec, id string) *experiment {
	now := time.Now()
	saved := map[string]string{}
	return &experiment{
		engine: e, spec: s, id: id, started: now, until: now.Add(s.Limit).Truncate(time.Second),
		caller: newCaller(s, id, saved), saved: saved, pulse: newPulse(), unknown: map[string]int{},
	}
}

func (x *experiment) now() time.Duration { return time.Since(x.started) }

// declares is what the verdict judges by.
func (x *experiment) declares() verdict.Declared { return x.spec.declares(x.held) }

func (x *experiment) note(format string, args ...any) {
	if x.engine.Progress != nil {
		x.engine.Progress(Note{x.now(), x.phase(), fmt.Sprintf(format, args...)})
	}
}

// enter begins a phase and ends the one before.
func (x *experiment) enter(name string) { x.enterAt(name, x.now()) }

func (x *experiment) enterAt(name string, at time.Duration) {
	if n := len(x.phases); n > 0 {
		x.phases[n-1].End = at
	}
	x.phases = append(x.phases, phase{name, verdict.Span{Start: at}})
}

// goOn notes that what comes now is judged apart from the outage and the recovery.
func (x *experiment) goOn() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.obs.Later == 0 {
		x.obs.Later = x.now()
	}
}

// inPhase enters a phase unless the run is in it.
func (x *experiment) inPhase(name string) {
	if x.phase() != name {
		x.enter(name)
	}
}

func (x *experiment) phase() string { return x.phases[len(x.phases)-1].name }

// perform runs the phases in turn. Whatever happens, no fault is armed when it returns.
func (x *experiment) perform(ctx context.Context) (err error) {
	defer x.caller.close()
	x.enter("idle")
	ctx, cancel := context.WithDeadlineCause(ctx, x.until, aborted("the limit of %v was reached", x.spec.Limit))
	defer cancel()
	ctx, x.abort = context.WithCancelCause(ctx)
	defer x.abort(nil)
	defer func() { err = errors.Join(x.why(ctx, err), x.close()); x.tearDown(ctx) }() //nolint:contextcheck // healing goes on when ctx is what ended the run
	if err := x.prepare(ctx); err != nil {
		return err
	}
	watching, stopWatching := context.WithCancel(ctx)
	w := &watcher{runner: x.runner, run: x.id, pulse: x.pulse, saw: x.saw, wanted: watching}
	w.wg.Go(func() { x.pulse.run(watching) })
	w.wg.Go(func() {
		if err := x.listen(watching); err != nil {
			x.abort(inconclusive("%v", err))
		}
	})
	defer func() { stopWatching(); w.wait() }()
	for _, step := range []func(context.Context) error{
		x.idle,
		func(ctx context.Context) error { w.start(ctx, x.spec.watched()); return x.baseline(ctx) },
		x.below, x.outage, x.recovery, x.relapse, x.early, x.herd, x.aging, x.spread, x.slowly,
	} {
		if err := step(ctx); err != nil {
			x.abandon(ctx, err)
			return err
		}
	}
	return nil
}

// abandon heals at once and ends what still runs, so that no fault waits for a check.
func (x *experiment) abandon(ctx context.Context, err error) {
	quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	_ = x.disarm(quick) // close will say if a fault is left
	x.abort(x.why(ctx, err))
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

func (x *experiment) prepare(ctx context.Context) error {
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
	// Of two that begin in the same moment, both see the other after their installation.
	install := func(ctx context.Context) error { return x.install(ctx, x.spec.faults) }
	for _, step := range []func(context.Context) error{x.alone, x.setUp, install, x.alone} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// alone refuses to run beside another run's faults: their outages could not be told apart.
func (x *experiment) alone(ctx context.Context) error {
	found, err := x.engine.Injector.List(ctx)
	if err != nil {
		return x.cannot(ctx, "could not look for the faults of other runs", err)
	}
	for _, a := range found {
		if a.Owned && a.Run != x.id {
			return aborted("another run injects faults on this host: %s %s of run %s (%s), until %s at the latest; see: foreshock fault list",
				a.Kind, a.To, a.Run, cmp.Or(a.Name, "no name"), a.Until.Format(time.RFC3339))
		}
	}
	return nil
}

func (x *experiment) install(ctx context.Context, fs []faults.Fault) error {
	x.faults, x.injections, x.seen = fs, nil, nil
	for _, f := range fs {
		o := faults.Options{Run: x.id, Name: x.spec.Name, Location: x.engine.Runner.Location(), Until: x.until, Why: x.spec.Summary, Without: x.spec.Without}
		if x.engine.Guard != nil {
			if err := x.engine.Guard(ctx, f, o); err != nil {
				return aborted("%v", err)
			}
		}
		in, err := x.engine.Injector.Install(ctx, f, o)
		if err != nil {
			return x.cannot(ctx, fmt.Sprintf("fault %s %s could not be installed", f.Kind(), f.Target()), err)
		}
		x.injections = append(x.injections, in)
		x.seen = append(x.seen, 0)
		if len(x.evidence) == 0 { // of the outage, and not of what comes after it
			x.obs.Repeats = x.obs.Repeats || faults.Counts(f) && !resets(f)
		}
		if _, queued := f.(faults.Queued); queued {
			x.lives = true
			x.lingers = max(x.lingers, faults.Lingers(f))
		}
	}
	if !slices.ContainsFunc(fs, faults.Counts) {
		x.obs.Doubt = "a fault of processes sees none; put - watch: {to: \"HOST:PORT\"} of the dependency beside it"
	}
	return nil
}

// cannot is an error of our own tools, or the end of ctx if that is what it comes from.
func (x *experiment) cannot(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return inconclusive("%s: %v", what, err)
}

// resets reports whether the fault ends open connections at their first packet.
func resets(f faults.Fault) bool {
	return slices.ContainsFunc(f.Rules(faults.IPv4), func(r faults.Rule) bool { return slices.Contains(r.Action, "tcp-reset") })
}

// attempts reads the connection attempts that were seen since the last time.
func (x *experiment) attempts(ctx context.Context) error {
	for i, in := range x.injections {
		as, err := in.Attempts(ctx, x.seen[i])
		x.seen[i] += len(as)
		x.mu.Lock()
		for _, a := range as {
			x.tries = append(x.tries, newTry(a, x.started))
		}
		slices.SortStableFunc(x.tries, func(a, b try) int { return cmp.Compare(a.at, b.at) })
		x.obs.Attempts, x.whose = ours(x.tries, &x.obs, x.spec.Breaker.Scope == scopeShared)
		x.obs.Attempts = slices.DeleteFunc(x.obs.Attempts, func(a time.Duration) bool { return x.cut > 0 && a >= x.cut })
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
	o.Spread, o.Reports = slices.Clone(o.Spread), slices.Clone(o.Reports)
	slices.SortStableFunc(o.Checks, func(a, b verdict.CheckRun) int { return cmp.Compare(a.At, b.At) })
	o.Ended = cmp.Or(x.ended, x.now())
	if x.lives && x.armed != nil {
		o.Waits = x.waits()
	}
	o.Noisy, o.Jolt = x.spec.Breaker.Background > 0, time.Duration(x.pulse.jolt.Load())
	if o.Doubt == "" {
		o.Doubt = x.whose
	}
	return &o
}

// saw notes the result of a watched check, and stops the run if it is one that says so.
func (x *experiment) saw(r results.Result, starved time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.armed != nil && x.spec.forgives(r) {
		r.Status = results.OK
	}
	x.obs.Checks = append(x.obs.Checks, verdict.CheckRun{
		Name: r.Check, At: r.Start.Sub(x.started), Took: r.Duration, Status: r.Status, Message: r.Message, Starved: starved,
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
