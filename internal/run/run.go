// Package run is the one place where a Result is made: it gives a check its
// deadline, catches its panic, judges its time, masks secrets, stamps what it found
// and publishes it. The scheduler, the scenarios and the command line all go
// through it. It must never know a kind of check.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// grace is how long a check may overstay its deadline before it is abandoned.
const grace = 2 * time.Second

// A Publisher takes records; results.Hub is one.
type Publisher interface {
	Publish(ctx context.Context, recs ...results.Record) error
}

// An Entry is a check with its name, its times and its labels.
type Entry struct {
	Name     string
	Kind     string
	Every    time.Duration // 0 if Cron is set, or if it only runs by hand
	Cron     string
	Timezone string
	Timeout  time.Duration
	Warning  time.Duration // a slower success is a warning; 0 is no limit
	Critical time.Duration // a slower success is critical; 0 is no limit
	Labels   map[string]string
	Check    results.Check
}

// A Runner runs entries. It may be used from several goroutines once no more are added.
type Runner struct {
	location string
	pub      Publisher
	secrets  *kind.Secrets
	log      *slog.Logger
	entries  []gated
	watch    func(check string, rec *results.Recorder)
}

// gated is an entry whose runs can be held off.
type gated struct {
	Entry
	gate *sync.RWMutex // read-held by every run
}

// New makes a Runner that publishes to pub. location is where it looks from; secrets
// are masked in everything it publishes.
func New(location string, pub Publisher, secrets *kind.Secrets, log *slog.Logger) *Runner {
	return &Runner{location: location, pub: pub, secrets: secrets, log: log}
}

// Watch has fn told of every run as it begins, with the recorder of its steps. What it
// sees there is not masked yet. It must not be called while entries run.
func (r *Runner) Watch(fn func(check string, rec *results.Recorder)) { r.watch = fn }

// Add takes an entry. It must not be called while entries run.
func (r *Runner) Add(e Entry) error {
	if _, dup := r.Entry(e.Name); dup {
		return fmt.Errorf("check %q: the name is taken by another check", e.Name)
	}
	r.entries = append(r.entries, gated{e, &sync.RWMutex{}})
	return nil
}

// With returns a Runner that has the entries of r and more, and publishes to the same place.
func (r *Runner) With(more ...Entry) (*Runner, error) {
	w := *r
	w.entries = slices.Clone(r.entries)
	for _, e := range more {
		if err := w.Add(e); err != nil {
			return nil, err
		}
	}
	return &w, nil
}

// Entries returns the entries in the order in which they were added.
func (r *Runner) Entries() []Entry {
	es := make([]Entry, len(r.entries))
	for i, g := range r.entries {
		es[i] = g.Entry
	}
	return es
}

// Entry returns the entry called name.
func (r *Runner) Entry(name string) (Entry, bool) {
	g, ok := r.find(name)
	return g.Entry, ok
}

func (r *Runner) find(name string) (gated, bool) {
	i := slices.IndexFunc(r.entries, func(g gated) bool { return g.Name == name })
	if i < 0 {
		return gated{}, false
	}
	return r.entries[i], true
}

// Hold waits until none of the named checks runs, and makes runs of them wait, whoever
// asks for them, until release is called. A scenario holds the checks whose calls would
// mix with those it counts. Names that no check has are passed over.
func (r *Runner) Hold(names ...string) (release func()) {
	var held []*sync.RWMutex
	for _, g := range r.entries {
		if slices.Contains(names, g.Name) {
			g.gate.Lock()
			held = append(held, g.gate)
		}
	}
	return func() {
		for _, mu := range held {
			mu.Unlock()
		}
	}
}

// Location is where this Runner looks from.
func (r *Runner) Location() string { return r.location }

// Now makes a Request for a run by hand: its slot is its real start.
func (r *Runner) Now(check, runID string) results.Request {
	return results.Request{Key: results.Key{Check: check, Location: r.location, Slot: time.Now().UTC(), Run: runID}}
}

// Run runs what is asked for once, and publishes its Result even when ctx has ended.
// It fails when no check has that name, or when the Result could not be stored; the
// Result is valid in the second case.
func (r *Runner) Run(ctx context.Context, req results.Request) (results.Result, error) {
	g, ok := r.find(req.Check)
	if !ok {
		return results.Result{}, fmt.Errorf("check %q: no check has this name", req.Check)
	}
	g.gate.RLock()
	res := r.look(ctx, g.Entry)
	g.gate.RUnlock()
	res.Key, res.Kind, res.Labels = req.Key, g.Kind, g.Labels
	r.mask(&res)
	return res, r.publish(ctx, res)
}

// Missed publishes that a slot was not run, and why.
func (r *Runner) Missed(ctx context.Context, req results.Request, reason string) error {
	e, ok := r.Entry(req.Check)
	if !ok {
		return fmt.Errorf("check %q: no check has this name", req.Check)
	}
	return r.publish(ctx, results.Result{
		Key: req.Key, Kind: e.Kind, Labels: e.Labels, Start: req.Slot,
		Status: results.Unknown, Cause: results.CauseMissed, Message: reason,
	})
}

// A run that was stopped is still worth keeping, so the end of ctx does not stop this.
func (r *Runner) publish(ctx context.Context, res results.Result) error {
	if err := r.pub.Publish(context.WithoutCancel(ctx), results.Record{Result: &res}); err != nil {
		return fmt.Errorf("store result of %s: %w", res.Check, err)
	}
	return nil
}

// look runs the check and judges how it ended.
func (r *Runner) look(ctx context.Context, e Entry) results.Result {
	deadline, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	rec := results.NewRecorder()
	if r.watch != nil {
		r.watch(e.Name, rec)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.guard(deadline, e, rec) }()
	select {
	case err := <-ended:
		return finish(ctx, e, rec, err)
	case <-deadline.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case err := <-ended:
		return finish(ctx, e, rec, err)
	case <-late.C:
		r.log.ErrorContext(ctx, "check ignores its deadline and was abandoned", "check", e.Name, "timeout", e.Timeout)
		return rec.Finish(results.Blind(results.CauseStalled, fmt.Errorf("did not end %v after its timeout of %v", grace, e.Timeout)))
	}
}

// guard turns a panic into an unknown, so that one bad check does not end the rest.
func (r *Runner) guard(ctx context.Context, e Entry, rec *results.Recorder) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "check panicked", "check", e.Name, "panic", p, "stack", string(debug.Stack()))
			err = results.Blind(results.CauseInternal, fmt.Errorf("panic: %v", p))
		}
	}()
	return e.Check.Run(ctx, rec)
}

// finish judges the time of a success, tells "took too long" in the user's words, and
// an end that came from outside from one that the service caused.
func finish(ctx context.Context, e Entry, rec *results.Recorder, err error) results.Result {
	switch {
	case err != nil && ctx.Err() != nil:
		err = results.Blind(results.CauseStopped, fmt.Errorf("stopped before it ended: %w", err))
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, results.ErrUnknown):
		err = fmt.Errorf("no end within the timeout of %v: %w", e.Timeout, err)
	case err == nil:
		err = results.TooSlow(e.Name, time.Since(rec.Start()), e.Warning, e.Critical)
	}
	return rec.Finish(err)
}

func (r *Runner) mask(res *results.Result) {
	res.Message = r.secrets.Mask(res.Message)
	for i := range res.Steps {
		res.Steps[i].Name = r.secrets.Mask(res.Steps[i].Name)
		res.Steps[i].Error = r.secrets.Mask(res.Steps[i].Error)
	}
}
