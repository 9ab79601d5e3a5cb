// Package nfqueue makes a network worse, one packet at a time: rules of package
// faults send packets to a queue of the kernel, and a [Queue] says when each goes on,
// and how. It must never lose a packet that it does not mean to drop: what it cannot
// handle goes on untouched, and when its process dies, the kernel stops asking
// (the rules have --queue-bypass) and only the packets that were held at that moment
// are lost.
//
// What happens to packets is a chain of [Stage] values, one file each.
package nfqueue

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Options say what a queue does. They are read once, by [Open].
type Options struct {
	// Stages are met in this order. A stage keeps state and belongs to one queue.
	Stages []Stage
	// Mark is the bit of a packet's mark that says that the queue is done with it;
	// 0 means [DefaultMark].
	Mark uint32
	// MaxHeld is how many packets may wait at once; one more goes on at once, and is
	// counted as Overflow. 0 means 65,536; at most 1,000,000.
	MaxHeld int
	// MaxBytes bounds the sum of their lengths likewise. 0 means 256 MiB.
	MaxBytes int
}

// DefaultMark is a bit that neither Kubernetes, Calico, Cilium nor Tailscale use by
// default.
const DefaultMark = 1 << 29

const (
	maxHeld      = 1 << 16
	maxHeldLimit = 1_000_000
	maxBytes     = 256 << 20
)

// A Queue decides about the packets that the kernel sends it, from Open to Close.
// Its methods may be called from several goroutines.
type Queue struct {
	num    uint16
	mark   uint32
	wake   int // an eventfd
	closed chan struct{}

	stop    atomic.Bool
	release atomic.Bool

	mu       sync.Mutex
	done     bool // the eventfd is closed
	err      error
	counters Counters
}

// Open takes a queue that is free, in the network namespace of the calling thread,
// and starts to decide. It needs CAP_NET_ADMIN there, and CAP_NET_RAW for stages that
// send packets of their own. Its error is unknown by its status, never critical.
func Open(o Options) (*Queue, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	e, err := newEngine(o)
	if err != nil {
		return nil, err
	}
	go e.run()
	return e.queue, nil
}

func (o *Options) check() error {
	if o.Mark == 0 {
		o.Mark = DefaultMark
	}
	if o.MaxHeld == 0 {
		o.MaxHeld = maxHeld
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = maxBytes
	}
	switch {
	case o.Mark&(o.Mark-1) != 0:
		return fmt.Errorf("mark: got %#x, want one bit", o.Mark)
	case o.MaxHeld < 1 || o.MaxHeld > maxHeldLimit:
		return fmt.Errorf("packets held: got %d, want 1 to %d", o.MaxHeld, maxHeldLimit)
	case o.MaxBytes < 1:
		return fmt.Errorf("bytes held: got %d, want at least 1", o.MaxBytes)
	case len(o.Stages) == 0:
		return errors.New("stages: got none, want at least one")
	}
	for _, s := range o.Stages {
		if err := s.Check(); err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
	}
	return nil
}

// Num is the queue's number.
func (q *Queue) Num() uint16 { return q.num }

// Mark is the bit that the queue sets in the mark of what it lets go on.
func (q *Queue) Mark() uint32 { return q.mark }

// Skip is the match of a packet that a queue with this mark is done with, in the words
// of iptables. It must RETURN from the chain before anything else there, or the packet
// would come again for ever.
func Skip(mark uint32) []string {
	return []string{"-m", "mark", "--mark", fmt.Sprintf("%#x/%#x", mark, mark)}
}

// Match keeps the packets of loopback, which pass OUTPUT and INPUT, from being met
// twice, in the words of iptables.
func Match() []string { return []string{"!", "-o", "lo"} }

// Action is the function [Action] of this queue.
func (q *Queue) Action() []string { return Action(q.num) }

// Action sends a packet to a queue, in the words of iptables. While nobody reads the
// queue, the packet goes on to the next table.
func Action(num uint16) []string {
	return []string{"-j", "NFQUEUE", "--queue-num", strconv.Itoa(int(num)), "--queue-bypass"}
}

// Release lets all packets that are held go on, untouched. It is for healing: first
// the lease, so that no more come, then Release. It does not wait for the kernel.
func (q *Queue) Release() {
	q.release.Store(true)
	q.poke()
}

// Close releases every packet and gives the queue back, without losing one, even if
// rules still lead to it. Its error is why the queue had stopped before, if it had.
func (q *Queue) Close() error {
	q.stop.Store(true)
	q.poke()
	<-q.closed // it ends by itself: nothing in it waits
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.done {
		q.done = true
		_ = unix.Close(q.wake)
	}
	return q.err
}

// Done is closed when the queue has stopped, by Close or by an error.
func (q *Queue) Done() <-chan struct{} { return q.closed }

// poke ends the engine's wait.
func (q *Queue) poke() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.done {
		_, _ = unix.Write(q.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // full means that it is awake
	}
}

// Counters are what became of packets since Open.
type Counters struct {
	Received uint64 // packets that the kernel asked about
	Passed   uint64 // went on, touched or not
	Dropped  uint64 // dropped by a stage
	Sent     uint64 // packets of our own: copies and answers
	Held     uint64 // packets that wait now
	MaxHeld  uint64 // most that ever waited at once

	Overflow uint64 // went on at once and untouched: more waited than Options allow
	Missed   uint64 // went on untouched: the kernel could not ask, for we were too slow
	Gone     uint64 // verdicts that the kernel refused: the packet went with its device, or with the last user of a hook of any kind, such as connection tracking
	Failed   uint64 // packets of our own that could not be sent

	FirstHit time.Time // when a stage did something first, with a monotonic reading
	Stages   []StageCounters
}

// StageCounters are what one stage did.
type StageCounters struct {
	Name    string
	Seen    uint64 // packets that reached it
	Hit     uint64 // of those, changed, held, answered, copied or dropped
	Dropped uint64 // of those, dropped
}

// Counters returns what was decided by now, at least of every packet that has gone on
// or was answered; after Close, the last.
func (q *Queue) Counters() Counters {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.counters
	c.Stages = slices.Clone(c.Stages)
	return c
}

func (q *Queue) publish(c Counters) {
	q.mu.Lock()
	defer q.mu.Unlock()
	stages := append(q.counters.Stages[:0], c.Stages...)
	q.counters = c
	q.counters.Stages = stages
}
