// Package pause stops processes for a while, every thread of them, and lets them run
// on. It holds them by ptrace (SEIZE and INTERRUPT), which the kernel undoes by itself
// as soon as the holder is gone, however it went: a pause cannot outlive its owner.
// It must never use SIGSTOP, which nobody takes back, never set PTRACE_O_EXITKILL, and
// never hit a process that merely got the number of the one that was chosen.
//
// To the processes a pause looks like a stop and a continue: signals wait and are
// delivered afterwards, and a few blocking calls (epoll_wait, semop and others, see
// signal(7)) may return EINTR when they run on.
package pause

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Selector says which processes are meant: one by its number, or a container's.
type Selector struct {
	PID       int    // one process; 0 if Container is given
	Tree      bool   // with PID: its descendants too
	Container string // the beginning of a container's id, 6 hexadecimal digits or more: all its processes
}

// Options say for whom a pause is and how long it may last.
type Options struct {
	Run      string    // the run that asks for it; required
	Name     string    // the owner's word for it; may be empty
	Location string    // where it happens; may be empty
	Until    time.Time // the hard end of every pause; required
	// OwnChildren allows processes that this process started. They are refused
	// otherwise, because it may need them: a browser, a worker.
	OwnChildren bool
}

// What ended a pause.
const (
	ByOwner = "owner" // Disarm, Close, or the end of the context given to Arm
	ByLimit = "limit" // the hard end
	ByOther = "other" // another process asked for it by Heal
	ByEnd   = "ended" // nothing is left to pause: the processes were killed
)

// Evidence is what a pause did.
type Evidence struct {
	Target    string    // such as "pid 4711 (postgres)"
	Processes []Process // that were held, by pid; those of the last pause
	Spans     []Span
	// Escaped says, for each process of which it is so, how a part of it ran during a
	// pause. Empty means that nothing of the target did.
	Escaped []string
}

// A Process is one that a pause holds or held.
type Process struct {
	PID     int
	Name    string // as the kernel has it, at most 15 bytes
	Threads int
}

// String names the process, such as pid 4711 (postgres).
func (p Process) String() string { return fmt.Sprintf("pid %d (%s)", p.PID, p.Name) }

// A Span is one time in which the target stood still.
type Span struct {
	From time.Time // its first thread was about to be stopped
	Full time.Time // its last one stood
	To   time.Time // its first thread was about to run on; zero while it lasts
	By   string    // what ended it: one of the By words; empty while it lasts
	// Threads were stopped in all. Blocked ones of them were inside a call of the kernel
	// that cannot be interrupted: they stop before they leave it.
	Threads, Blocked int
}

// The errors that a caller may want to tell apart.
var (
	ErrRefused = errors.New("refused")            // the process must not be touched
	ErrTraced  = errors.New("already traced")     // by a debugger, or by another pause
	ErrEnded   = errors.New("process has ended")  // whoever has its number now is another
	ErrHealed  = errors.New("healed by another")  // Arm after another process's Heal
	ErrClosed  = errors.New("pause is closed")    // Arm after Close
	ErrEscape  = errors.New("it does not settle") // threads appear or run on faster than they are stopped
)

// The ends of a hold, as the cause of its context's.
var (
	errLimit = errors.New("its hard end has passed")
	errOther = errors.New("another process asked to resume")
)

// A Pause is ready to stop its target, and does not touch it until Arm. Its methods
// may be called from several goroutines.
type Pause struct {
	target   *target
	options  Options
	since    time.Time
	deadline time.Time // with a monotonic reading: a step of the clock does not move it
	door     *door

	turn sync.Mutex // held by whoever stops or resumes the target

	mu     sync.Mutex // never held for long: what the door tells must not wait
	holds  []*hold
	closed error // why it cannot be armed any more
}

// Open finds and pins the target, looks whether it may be paused, and makes the pause
// known to [List]. The error says what is in the way; permission is unknown by its
// status, never critical.
func Open(ctx context.Context, s Selector, o Options) (*Pause, error) {
	now := time.Now()
	deadline := now.Add(o.Until.Sub(now)) // however long the look takes
	switch {
	case o.Run == "":
		return nil, errors.New("pause: got no run, want the id of the run that asks for it")
	case !now.Before(deadline):
		return nil, fmt.Errorf("pause: got until %s, want a time ahead", o.Until.Format(time.RFC3339))
	}
	t, err := aim(ctx, s, o.OwnChildren)
	if err != nil {
		return nil, fmt.Errorf("pause %s: %w", s, err)
	}
	if err := t.mayHold(); err != nil {
		t.close()
		return nil, fmt.Errorf("pause %s: %w", t, err)
	}
	p := &Pause{target: t, options: o, since: time.Now(), deadline: deadline}
	if p.door, err = openDoor(p, o.Run); err != nil {
		t.close()
		return nil, fmt.Errorf("pause %s: %w", s, err)
	}
	return p, nil
}

// Arm stops the target until Disarm, Close, the hard end, another process's [Heal] or
// the end of ctx, whichever comes first, and returns when every thread stands. On an
// error everything runs on. A target that is held stays held.
func (p *Pause) Arm(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	if h := p.last(); h != nil && !h.over() {
		return nil
	}
	if err := p.armable(ctx); err != nil {
		return fmt.Errorf("pause %s: %w", p.target, err)
	}
	if err := p.resume(ctx, nil); err != nil { // of a hold that is just ending
		return err
	}
	h, err := newHold(ctx, p.target, p.deadline)
	if err != nil {
		return fmt.Errorf("pause %s: %w", p.target, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, h)
	return nil
}

func (p *Pause) armable(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case p.closed != nil:
		return p.closed
	case !time.Now().Before(p.deadline):
		return errLimit
	}
	return nil
}

// last is the hold that lasts, or lasted last; nil if there was none.
func (p *Pause) last() *hold {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.holds) == 0 {
		return nil
	}
	return p.holds[len(p.holds)-1]
}

// Disarm lets the target run on; the pause can be armed again.
func (p *Pause) Disarm(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	return p.resume(ctx, nil)
}

func (p *Pause) resume(ctx context.Context, why error) error {
	h := p.last()
	if h == nil {
		return nil
	}
	if err := h.end(ctx, why); err != nil {
		return fmt.Errorf("resume %s: %w", p.target, err)
	}
	return nil
}

// Evidence tells what the pause did so far.
func (p *Pause) Evidence() Evidence {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := Evidence{Target: p.target.String()}
	for _, h := range p.holds {
		span, processes, escaped := h.facts()
		e.Spans, e.Processes = append(e.Spans, span), processes
		e.Escaped = append(e.Escaped, escaped...)
	}
	e.Escaped = slices.Compact(e.Escaped)
	return e
}

// Close lets the target run on and lets go of it. Once it succeeded, it does nothing.
func (p *Pause) Close(ctx context.Context) error {
	if err := p.dismiss(ctx, nil, ErrClosed); err != nil {
		return err
	}
	p.door.wait()
	p.target.close()
	return nil
}

// dismiss resumes for good. The door closes with it, so that List finds no trace.
func (p *Pause) dismiss(ctx context.Context, why, closed error) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	if err := p.resume(ctx, why); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed == nil || errors.Is(closed, ErrClosed) {
		p.closed = closed
	}
	p.door.close()
	return nil
}
