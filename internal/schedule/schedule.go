// Package schedule starts checks when they are due and hands each run over to a
// bounded pool of its class. A run has an identity, its slot, that is the same on
// every machine and after every restart. A slot that is not run is reported, never
// silently skipped. The package must never run a check itself, nor wait for one where
// time is kept.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

// The classes of jobs: what a run mostly costs. Each has a pool of its own, so that
// browsers that are busy do not hold up probes.
const (
	Network = "network" // waits for others
	Browser = "browser" // costs CPU
	Process = "process" // starts a program, or runs for minutes
)

// The reasons for which a slot is missed.
const (
	Overrun   = "overrun"   // the run before was still going on
	Saturated = "saturated" // the run before was still waiting for a worker
	Late      = "late"      // this process was too busy to start it in its slot
	ClockJump = "clock"     // the clock was set forward, or the machine slept
	Stopped   = "stopped"   // the schedule ended while it waited for a worker
	Panicked  = "panic"     // the runner panicked
)

// newsLimit bounds the report of one slot that was missed.
const newsLimit = 10 * time.Second

// A Job is a check that runs again and again.
type Job struct {
	Name     string
	Class    string        // Network, Browser or Process; empty is Network
	Every    time.Duration // at least 100 ms; or
	Cron     string        // five fields: minute, hour, day, month, weekday
	Timezone string        // of Cron, such as Europe/Berlin; empty is UTC
	// FirstRun also runs it once at the start, for the slot just gone. It is not for
	// Cron, and is left out if the first slot is less than half of Every or 5 s away.
	FirstRun bool
}

// A Runner runs what is asked for. Its methods are called from several goroutines.
type Runner interface {
	Run(ctx context.Context, req results.Request) (results.Result, error)
	// Missed is told of a slot that was not run, with one of the reasons.
	Missed(ctx context.Context, req results.Request, reason string) error
}

// Options says how to schedule. The zero value is usable.
type Options struct {
	Location string         // of every request
	Workers  map[string]int // at most so many runs at once, by class; see DefaultWorkers
	Log      *slog.Logger   // nil logs nothing
	// Lateness is told how long after its slot each run began, first runs apart. It is
	// called from several goroutines, where runs begin, and must not block.
	Lateness func(time.Duration)
	// Gap is told of a time in which the schedule stood still: the machine slept, or its
	// clock was set forward. The slots in it are missed; of each job only the last 100
	// are reported one by one.
	Gap func(from, to time.Time)
}

// A Scheduler runs jobs until its Run returns.
type Scheduler struct {
	runner  Runner
	opts    Options
	buckets []*bucket
	pools   map[string]*pool
	news    *queue[func(context.Context)] // told one after the other, where nobody waits
	wall    func() time.Time              // a test sets it; else time.Now
	ran     sync.Once
}

// New makes a Scheduler of the jobs. It fails with all that is wrong with them.
func New(jobs []Job, runner Runner, opts Options) (*Scheduler, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Lateness == nil {
		opts.Lateness = func(time.Duration) {}
	}
	if opts.Gap == nil {
		opts.Gap = func(time.Time, time.Time) {}
	}
	s := &Scheduler{
		runner: runner, opts: opts, pools: map[string]*pool{}, news: newQueue[func(context.Context)](), wall: time.Now,
	}
	var errs []error
	seen := map[string]bool{}
	for _, j := range jobs {
		if seen[j.Name] {
			errs = append(errs, fmt.Errorf("job %q: the name is taken by another job", j.Name))
		}
		seen[j.Name] = true
		if err := s.add(j); err != nil {
			errs = append(errs, fmt.Errorf("job %q: %w", j.Name, err))
		}
	}
	return s, errors.Join(errs...)
}

// add puts the job into the bucket that fires at its slots.
func (s *Scheduler) add(j Job) error {
	if j.Class == "" {
		j.Class = Network
	}
	if DefaultWorkers(j.Class) == 0 {
		return fmt.Errorf("class: got %q, want %s, %s or %s", j.Class, Network, Browser, Process)
	}
	b, err := newBucket(j)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(s.buckets, b.same); i >= 0 {
		b = s.buckets[i]
	} else {
		s.buckets = append(s.buckets, b)
	}
	if s.pools[j.Class] == nil {
		s.pools[j.Class] = &pool{workers: s.workers(j.Class), runs: newQueue[run]()}
	}
	b.members = append(b.members, &member{name: j.Name, first: j.FirstRun, pool: s.pools[j.Class]})
	return nil
}

func (s *Scheduler) workers(class string) int {
	if n := s.opts.Workers[class]; n > 0 {
		return n
	}
	return DefaultWorkers(class)
}

// Run keeps the schedule until ctx is done and no run is left. A Scheduler runs once.
func (s *Scheduler) Run(ctx context.Context) error {
	err := errors.New("schedule: it has run already, make a new one")
	s.ran.Do(func() { err = s.run(ctx) })
	return err
}

func (s *Scheduler) run(ctx context.Context) error {
	var workers, reporter sync.WaitGroup
	for _, p := range s.pools {
		for range min(p.workers, s.members(p)) {
			workers.Go(func() { p.runs.each(func(r run) { s.start(ctx, r) }) })
		}
	}
	reporter.Go(func() { s.news.each(func(tell func(context.Context)) { s.tell(ctx, tell) }) })
	err := s.keepTime(ctx)
	for _, p := range s.pools {
		p.runs.close()
	}
	workers.Wait()
	s.news.close()
	reporter.Wait()
	return err
}

func (s *Scheduler) members(p *pool) (n int) {
	for _, b := range s.buckets {
		for _, m := range b.members {
			if m.pool == p {
				n++
			}
		}
	}
	return n
}

// start runs r in a worker.
func (s *Scheduler) start(ctx context.Context, r run) {
	defer r.member.state.Store(idle)
	req := s.request(r.member, r.slot)
	if ctx.Err() != nil {
		s.missed(req, Stopped)
		return
	}
	r.member.state.Store(running)
	if late := r.since(); late >= 0 {
		s.opts.Lateness(late)
	}
	defer func() {
		if p := recover(); p != nil {
			s.opts.Log.ErrorContext(ctx, "runner panicked", "check", req.Check, "panic", p, "stack", string(debug.Stack()))
			s.missed(req, Panicked)
		}
	}()
	if _, err := s.runner.Run(ctx, req); err != nil {
		s.opts.Log.ErrorContext(ctx, "run failed", "check", req.Check, "slot", req.Slot, "error", err)
	}
}

func (s *Scheduler) request(m *member, slot time.Time) results.Request {
	return results.Request{Key: results.Key{Check: m.name, Location: s.opts.Location, Slot: slot.UTC()}}
}

// missed has the runner told of a slot that was not run.
func (s *Scheduler) missed(req results.Request, reason string) {
	s.news.push(func(ctx context.Context) {
		s.opts.Log.WarnContext(ctx, "slot missed", "check", req.Check, "slot", req.Slot, "reason", reason)
		if err := s.runner.Missed(ctx, req, reason); err != nil {
			s.opts.Log.ErrorContext(ctx, "missed slot was not stored", "check", req.Check, "slot", req.Slot, "error", err)
		}
	})
}

// tell calls out with a limit of time, also when ctx has ended.
func (s *Scheduler) tell(ctx context.Context, news func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), newsLimit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.opts.Log.ErrorContext(ctx, "listener of the schedule panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	news(ctx)
}
