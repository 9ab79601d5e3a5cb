package breaker

import (
	"slices"
	"sync"
	"time"
)

// kept is how many transitions a breaker remembers.
const kept = 64

// A Transition is one change of a breaker's state.
type Transition struct {
	Seq  uint64    `json:"seq"` // counts from 1, so that a reader sees what it has missed
	At   time.Time `json:"at"`  // UTC
	From State     `json:"from"`
	To   State     `json:"to"`
}

// A journal is the state as gobreaker last reported it, and how it came to it. Its
// lock may be taken under gobreaker's, never the other way round.
type journal struct {
	openFor time.Duration
	listen  func(Transition)

	mu      sync.Mutex
	state   State
	since   time.Time
	seq     uint64
	last    []Transition // the newest last
	untold  []Transition
	telling bool
}

// newJournal begins with a closed breaker, now.
func newJournal(s Settings) *journal {
	return &journal{openFor: s.OpenFor, listen: s.OnTransition, state: Closed, since: time.Now()}
}

// add notes a change of state; tell tells of it.
func (j *journal) add(from, to State) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	j.state, j.since = to, time.Now()
	t := Transition{Seq: j.seq, At: wall(j.since), From: from, To: to}
	if len(j.last) == kept {
		j.last = slices.Delete(j.last, 0, 1)
	}
	j.last = append(j.last, t)
	j.untold = append(j.untold, t)
}

// now returns the state and, if it is open, until when.
func (j *journal) now() (state State, until time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state, j.until()
}

func (j *journal) until() time.Time {
	if j.state != Open {
		return time.Time{}
	}
	return j.since.Add(j.openFor).UTC()
}

// snapshot returns the part of a Snapshot that is written here.
func (j *journal) snapshot() Snapshot {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Snapshot{
		State: j.state, Since: wall(j.since), Until: j.until(),
		Transitions: append([]Transition{}, j.last...), // a list even if it is empty
	}
}

// tell tells the listener, in order, of what it has not heard. Whoever finds another
// goroutine telling, or is the listener itself, leaves the rest to it.
func (j *journal) tell() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.telling {
		return
	}
	j.telling = true
	defer func() { j.telling = false }()
	for len(j.untold) > 0 {
		t := j.untold[0]
		j.untold = j.untold[1:]
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
