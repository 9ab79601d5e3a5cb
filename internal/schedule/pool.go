package schedule

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultWorkers is how many runs of a class go on at once, where nothing is said: 100
// of the network, and of the others one for each CPU and two more. It is 0 of an
// unknown class.
func DefaultWorkers(class string) int {
	switch class {
	case Network:
		return 100
	case Browser:
		return runtime.GOMAXPROCS(0)
	case Process:
		return runtime.GOMAXPROCS(0) + 2
	}
	return 0
}

// The states of a member. A check waits or runs once at most, so a queue is never
// longer than its class has checks.
const (
	idle int32 = iota
	waiting
	running
)

// A member is one check in its bucket.
type member struct {
	first bool // also runs at the start
	name  string
	pool  *pool
	state atomic.Int32
}

// A pool runs what waits in it, so many at once.
type pool struct {
	workers int
	runs    *queue[run]
}

// A run is a slot on its way to a worker.
type run struct {
	member *member
	slot   time.Time
	since  func() time.Duration // since its slot; negative if that does not count
}

// hand gives the slot to the pool, or returns why it is missed.
func (m *member) hand(slot time.Time, since func() time.Duration) (reason string) {
	if m.state.CompareAndSwap(idle, waiting) {
		m.pool.runs.push(run{m, slot, since})
		return ""
	}
	if m.state.Load() == waiting {
		return Saturated
	}
	return Overrun
}

// A queue holds what nobody had time for yet. Pushing never waits.
type queue[T any] struct {
	mu     sync.Mutex
	more   *sync.Cond
	items  []T
	closed bool
}

func newQueue[T any]() *queue[T] {
	q := &queue[T]{}
	q.more = sync.NewCond(&q.mu)
	return q
}

func (q *queue[T]) push(v T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, v)
	q.more.Signal()
}

func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}

// each calls do with one after the other until the queue is closed and empty.
func (q *queue[T]) each(do func(T)) {
	for {
		v, ok := q.pop()
		if !ok {
			return
		}
		do(v)
	}
}

func (q *queue[T]) pop() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.more.Wait()
	}
	if len(q.items) == 0 {
		return v, false
	}
	v = q.items[0]
	q.items = q.items[1:]
	return v, true
}
