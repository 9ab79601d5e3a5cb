package faults

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/pause"
)

// onProcesses is a [Fault] that acts on processes and not on packets: it has no rules,
// and what it installs sees no attempts. The kernel ends it with its owner, unless it
// is irreversible.
type onProcesses interface {
	Fault
	// aim pins the processes and touches none of them. It refuses those without which
	// nobody could heal, such as Foreshock itself or the first process.
	aim(ctx context.Context) (*pause.Aimed, error)
	// begin is aim for an installation.
	begin(ctx context.Context, o Options) (Injection, error)
	irreversible() bool
}

// Irreversible says that nothing heals a fault: not Disarm, not the owner's death.
func Irreversible(f Fault) bool {
	p, ok := f.(onProcesses)
	return ok && p.irreversible()
}

// Counts says that an installation of the fault sees packets to a target, and so can
// tell who tried to reach it.
func Counts(f Fault) bool {
	_, ok := f.(onProcesses)
	return !ok
}

// Breaks says that a fault breaks something: one that only watches does not.
func Breaks(f Fault) bool {
	if _, queued := f.(Queued); queued {
		return true
	}
	acts := func(r Rule) bool { return !r.Spares && len(r.Action) > 0 }
	return !Counts(f) || slices.ContainsFunc(f.Rules(IPv4), acts) || slices.ContainsFunc(f.Rules(IPv6), acts)
}

// Processes is the settings that say which processes a fault is for.
type Processes struct {
	PID       int    `yaml:"pid"`       // one process, from 2
	Container string `yaml:"container"` // the beginning of a container's id: all its processes
	Tree      bool   `yaml:"tree"`      // with pid: its descendants too
	// Children allows processes that Foreshock started. One whose end it waits for must
	// not be paused: the kernel tells whoever waits of its stop as of an end.
	Children bool `yaml:"own_children"`
}

func (p Processes) selector() pause.Selector {
	return pause.Selector{PID: p.PID, Container: p.Container, Tree: p.Tree}
}

// check refuses settings that mean no process.
func (p Processes) check() error {
	if err := p.selector().Check(); err != nil {
		key := "pid"
		if p.Container != "" {
			key = "container"
		}
		return kind.At(key, err)
	}
	if p.PID > math.MaxInt32 {
		return kind.At("pid", fmt.Errorf("got %d, want a process number", p.PID))
	}
	return nil
}

// Target implements [Fault].
func (p Processes) Target() Target { return Target{Processes: p.selector().String()} }

// Rules implements [Fault]: there are none.
func (p Processes) Rules(Family) []Rule { return nil }

func (p Processes) aim(ctx context.Context) (*pause.Aimed, error) {
	return pause.Aim(ctx, p.selector(), p.Children)
}

// install is Install for a fault that acts on processes.
func (in *Injector) installProcesses(ctx context.Context, f onProcesses, o Options) (Injection, error) { //nolint:ireturn // as Install
	l, err := newLabel(f, o, time.Now())
	if err != nil {
		return nil, err
	}
	o.Until = l.until
	a := &audited{audit: in.Audit, entry: auditEntry{Run: l.run, Name: l.name, Kind: l.kind, To: l.to, Until: l.until, Why: o.Why}}
	if a.Injection, err = f.begin(ctx, o); err != nil {
		err = fmt.Errorf("install: %w", err)
		return nil, errors.Join(err, a.write(auditInstall, "", err))
	}
	if err := a.write(auditInstall, "", nil); err != nil {
		return nil, errors.Join(err, a.Injection.Close(ctx))
	}
	return a, nil
}

// planProcesses is Plan for a fault that acts on processes.
func planProcesses(ctx context.Context, f onProcesses) (Plan, error) {
	aimed, err := f.aim(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	defer aimed.Close()
	found, err := aimed.Processes()
	if err == nil && !f.irreversible() {
		err = aimed.MayHold()
	}
	if err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	plan := Plan{Irreversible: f.irreversible()}
	for _, p := range found {
		plan.Resolved = append(plan.Resolved, p.String())
		plan.Processes = append(plan.Processes, fmt.Sprintf("%s, threads: %d", p, p.Threads))
	}
	return plan, nil
}

// ProbeProcesses says whether processes can be paused here, and whose.
func ProbeProcesses() Capability {
	whose, err := pause.Probe()
	if err != nil {
		return Capability{Name: "pause of processes", Detail: err.Error()}
	}
	return Capability{Name: "pause of processes", OK: true, Detail: whose}
}

// noAttempts implements the part of [Injection] that packets alone have.
type noAttempts struct{}

// Attempts says that there are none: a process that does not run refuses nobody.
func (noAttempts) Attempts(ctx context.Context, skip int) ([]Attempt, error) {
	if skip < 0 {
		return nil, fmt.Errorf("attempts: got skip %d, want 0 or more", skip)
	}
	return nil, ctx.Err()
}
