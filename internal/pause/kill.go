package pause

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

// killPasses bounds how often processes are looked for that were forked meanwhile.
const killPasses = 16

// Killed is the evidence of a signal to one process.
type Killed struct {
	PID   int
	Name  string
	Sent  time.Time
	Ended time.Time // zero if it had not by the end of the context
}

// Kill sends a signal to every process of a selection, and waits until each has ended
// or ctx has. It cannot be undone: no lease ends it and no Heal brings anything back.
// It refuses what a pause refuses; on a refusal nothing is sent. A process that lives
// on is an error, which wraps that of ctx.
func Kill(ctx context.Context, s Selector, signal syscall.Signal, ownChildren bool) ([]Killed, error) {
	a, err := Aim(ctx, s, ownChildren)
	if err != nil {
		return nil, fmt.Errorf("kill %s: %w", s, err)
	}
	defer a.Close()
	return a.Kill(ctx, signal)
}

// An Aimed is a target that is pinned and was not touched yet.
type Aimed struct {
	target *target
}

// Aim pins the processes of a selection, and refuses what [Kill] does.
func Aim(ctx context.Context, s Selector, ownChildren bool) (*Aimed, error) {
	t, err := aim(ctx, s, ownChildren)
	if err != nil {
		return nil, err
	}
	return &Aimed{t}, nil
}

// String names the target, such as pid 4711 (postgres).
func (a *Aimed) String() string { return a.target.String() }

// Processes lists what of the target lives now, with its threads, by pid.
func (a *Aimed) Processes() ([]Process, error) {
	pids, err := a.target.members()
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, pid := range pids {
		s, err := readStat(procDir(pid))
		st, serr := readStatus(procDir(pid))
		if err == nil && serr == nil && !s.dead() { // else it has just ended
			found = append(found, Process{PID: pid, Name: s.name, Threads: st.threads})
		}
	}
	return found, nil
}

// MayHold says whether the kernel would let us pause every process of the target, and
// does nothing to it.
func (a *Aimed) MayHold() error { return a.target.mayHold() }

// Close lets go of the target, and does nothing to it.
func (a *Aimed) Close() { a.target.close() }

// Kill is [Kill] of the processes that were pinned: one that has got the number of one
// of them meanwhile is not hit.
func (a *Aimed) Kill(ctx context.Context, signal syscall.Signal) ([]Killed, error) {
	t := a.target
	if signal <= 0 || signal > 64 {
		return nil, fmt.Errorf("kill %s: got signal %d, want 1 to 64", t, signal)
	}
	k := killer{target: t, signal: signal, pins: map[int]*pin{}}
	defer k.close()
	if t.many() && signal == unix.SIGKILL {
		// Who stands still forks nobody who would be missed. Where that is not
		// permitted, the looks of send must do.
		if h, err := newHold(ctx, t, time.Now().Add(settleLimit)); err == nil {
			defer func() { _ = h.end(ctx, nil) }() // it has ended with its target
		}
	}
	if err := k.send(ctx); err != nil {
		return k.killed, fmt.Errorf("kill %s: %w", t, err)
	}
	if err := k.wait(ctx); err != nil {
		return k.killed, fmt.Errorf("kill %s: %w", t, err)
	}
	return k.killed, nil
}

type killer struct {
	target *target
	signal syscall.Signal
	pins   map[int]*pin
	killed []Killed
}

func (k *killer) close() {
	for _, p := range k.pins {
		p.close()
	}
}

// send goes on until a look finds nobody new.
func (k *killer) send(ctx context.Context) error {
	for range killPasses {
		fresh, err := k.find()
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if len(fresh) == 0 {
			break
		}
		for _, p := range fresh {
			if err := k.hit(p); err != nil {
				return err
			}
		}
	}
	if len(k.killed) == 0 {
		return fmt.Errorf("%w: none is left", ErrEnded)
	}
	return nil
}

// find pins all that are new before any of them is hit: the children of a dead one
// are no longer known as its.
func (k *killer) find() (fresh []*pin, err error) {
	pids, err := k.target.members()
	if err != nil && (len(k.killed) == 0 || !errors.Is(err, ErrEnded)) {
		return nil, err
	}
	for _, pid := range pids {
		if k.pins[pid] != nil {
			continue
		}
		p, err := k.target.claim(pid)
		if err != nil {
			return nil, err
		}
		if p != nil {
			k.pins[pid] = p
			fresh = append(fresh, p)
		}
	}
	return fresh, nil
}

func (k *killer) hit(p *pin) error {
	sent := Killed{PID: p.pid, Name: p.name, Sent: time.Now()}
	switch err := p.signal(k.signal); {
	case errors.Is(err, unix.ESRCH):
		return nil
	case errors.Is(err, unix.EPERM):
		return results.Blind(results.CausePermission, fmt.Errorf("signal to %s: %w (run as its user or as root, or give CAP_KILL)", p.stat, err))
	case err != nil:
		return fmt.Errorf("signal to %s: %w", p.stat, err)
	}
	k.killed = append(k.killed, sent)
	return nil
}

func (k *killer) wait(ctx context.Context) error {
	var errs []error
	for n := range k.killed {
		p := k.pins[k.killed[n].PID]
		if err := p.wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s lives on %v after %s: %w", p.stat, time.Since(k.killed[n].Sent).Round(time.Millisecond), unix.SignalName(k.signal), err))
			continue
		}
		k.killed[n].Ended = time.Now()
	}
	return errors.Join(errs...)
}
