package breaker

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// kept is how many transitions a breaker remembers.
const kept = 64

// A Transition is one change of a breaker's state.
type Transition struct {
	Name  string    `json:"-"`   // of the breaker
	Seq   uint64    `json:"seq"` // counts from 1, so that a reader sees what it has missed
	At    time.Time `json:"at"`  // UTC
	From  State     `json:"from"`
	To    State     `json:"to"`
	Cause string    `json:"cause"` // for people, with figures
}

// A journal is the state as gobreaker last reported it, and how it came to it. Its
// lock may be taken under gobreaker's, never the other way round.
type journal struct {
	name   string
	start  time.Time
	listen func(Transition)

	// What every call looks at, without a lock.
	state  atomic.Uint32 // a State
	seq    atomic.Uint64
	shut   atomic.Int64 // since start; before that no call may go through
	untold atomic.Int64 // the length of queue

	mu      sync.Mutex
	opening opening
	since   time.Time
	until   time.Time
	counts  [Open + 1][Open + 1]uint64 // of transitions, from and to
	last    []Transition               // the newest last
	queue   []Transition               // nobody was told of these
	telling bool
}

// newJournal begins with a closed breaker, now.
func newJournal(s Settings) *journal {
	now := time.Now()
	j := &journal{name: s.Name, start: now, listen: s.OnTransition, opening: newOpening(s), since: now}
	j.state.Store(uint32(Closed))
	return j
}

// add notes a change of state; tell tells of it.
func (j *journal) add(from, to State, cause string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	j.since, j.until = now, time.Time{}
	switch to {
	case Open:
		j.until = now.Add(j.opening.next(now))
		j.shut.Store(int64(j.until.Sub(j.start)))
	case Closed:
		j.opening.reset()
	case HalfOpen:
	}
	j.counts[from][to]++
	j.state.Store(uint32(to))
	t := Transition{Name: j.name, Seq: j.seq.Add(1), At: wall(now), From: from, To: to, Cause: cause}
	if len(j.last) == kept {
		j.last = slices.Delete(j.last, 0, 1)
	}
	j.last = append(j.last, t)
	j.queue = append(j.queue, t)
	j.untold.Store(int64(len(j.queue)))
}

// now returns the state, which may be older than the other things of the journal.
func (j *journal) now() State { return State(j.state.Load()) } //nolint:gosec // a State was stored

// isShut reports whether the open time still runs. It holds even if the result of a
// call from before has moved gobreaker, whose own open time may be shorter.
func (j *journal) isShut() bool {
	shut := j.shut.Load()
	return shut != 0 && j.now() != Closed && int64(time.Since(j.start)) < shut
}

// where returns the state and, if it is open, until when.
func (j *journal) where() (State, time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now(), j.until
}

// notBefore takes it down that the dependency asked to be left alone for d.
func (j *journal) notBefore(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opening.notBefore = time.Now().Add(d)
}

// snapshot returns the part of a Snapshot that is written here.
func (j *journal) snapshot() Snapshot {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := Snapshot{
		Name: j.name, State: j.now(), Since: wall(j.since),
		Transitions: append([]Transition{}, j.last...), // a list even if it is empty
	}
	if !j.until.IsZero() {
		s.Until = wall(j.until)
	}
	for _, m := range []Move{{From: Closed, To: Open}, {From: Open, To: HalfOpen}, {From: HalfOpen, To: Open}, {From: HalfOpen, To: Closed}} {
		m.Count = j.counts[m.From][m.To]
		s.Moves = append(s.Moves, m)
	}
	return s
}

// tell tells the listener, in order, of what it has not heard. Whoever finds another
// goroutine telling, or is the listener itself, leaves the rest to it.
func (j *journal) tell() {
	if j.untold.Load() == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.telling {
		return
	}
	j.telling = true
	defer func() { j.telling = false }()
	for len(j.queue) > 0 {
		t := j.queue[0]
		j.queue = j.queue[1:]
		j.untold.Store(int64(len(j.queue)))
		j.tellOne(t)
	}
}

// tellOne lets go of the lock meanwhile, and takes it back even if the listener panics.
func (j *journal) tellOne(t Transition) {
	j.mu.Unlock()
	defer j.mu.Lock()
	j.listen(t)
}

// wall returns t as it is shown: UTC, without the monotonic reading.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }
