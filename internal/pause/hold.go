package pause

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/osthread"
)

const (
	threadEnd  = 5 * time.Second
	threadTick = time.Millisecond
)

// A hold is one time in which the target stands still.
type hold struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the target was released

	mu        sync.Mutex
	span      Span
	processes []Process
	escaped   []string
	thread    int // the OS thread that still has something to let go of by its end; 0 is none
}

// newHold stops the target, and lets it run on when ctx or the deadline ends.
func newHold(ctx context.Context, t *target, deadline time.Time) (*hold, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	h := &hold{cancel: cancel, done: make(chan struct{})}
	ready := make(chan error, 1)
	// The thread's end lets go of whatever is left.
	osthread.Go(func() {
		defer close(h.done)
		defer cancel(nil)
		ctx, end := context.WithDeadlineCause(ctx, deadline, errLimit)
		defer end()
		defer setAlarm(time.Until(deadline)).off()
		h.run(ctx, newTracer(t), deadline, ready)
	})
	if err := <-ready; err != nil { // within the limit of settling
		<-h.done
		return nil, err
	}
	return h, nil
}

func (h *hold) run(ctx context.Context, t *tracer, deadline time.Time, ready chan<- error) {
	from := time.Now()
	if err := t.attach(ctx); err != nil {
		t.release()
		ready <- err
		return
	}
	h.note(t, Span{From: from, Full: time.Now()})
	ready <- nil
	by := t.wait(ctx, func() { h.note(t, Span{From: h.span.From, Full: h.span.Full}) })
	escaped, to := t.escaped(), time.Now()
	if by == ByOwner && !to.Before(deadline) { // whoever waits for the same moment may be first by a hair
		by = ByLimit
	}
	left := t.release()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.span.To, h.span.By = to, by
	h.escaped = escaped
	if left {
		h.thread = t.tid
	}
}

// note keeps what is held.
func (h *hold) note(t *tracer, span Span) {
	count := map[int]int{}
	for _, th := range t.threads {
		count[th.process]++
		span.Threads++
		if !th.stopped {
			span.Blocked++
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.span = span
	h.processes = nil
	for _, pid := range slices.Sorted(maps.Keys(count)) {
		h.processes = append(h.processes, Process{PID: pid, Name: t.processes[pid].name, Threads: count[pid]})
	}
}

func (h *hold) facts() (Span, []Process, []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.span, slices.Clone(h.processes), slices.Clone(h.escaped)
}

func (h *hold) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.span.By != ""
}

// end releases the target, because of why or by its owner's will if that is nil, and
// returns when it runs.
func (h *hold) end(ctx context.Context, why error) error {
	h.cancel(why)
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), threadEnd)
	defer stop()
	select {
	case <-h.done:
	case <-ctx.Done():
		return fmt.Errorf("its pauser does not answer: %w", ctx.Err())
	}
	h.mu.Lock()
	tid := h.thread
	h.mu.Unlock()
	if tid == 0 {
		return nil
	}
	tick := time.NewTicker(threadTick)
	defer tick.Stop()
	for unix.Tgkill(unix.Getpid(), tid, 0) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("its pauser's thread does not end: %w", ctx.Err())
		}
	}
	return nil
}
