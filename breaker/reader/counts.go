package reader

import (
	"fmt"
	"slices"
	"strings"
)

// A tracker works out where a breaker stands from counters of its transitions alone.
// It keeps every state that the counts allow, and is certain when one is left: opened
// minus closed is not the state, since a probe that fails opens a breaker again.
type tracker struct {
	noHalfOpen bool // the source does not count half-opened
	last       moves
	could      []State // where the breaker could have been at last; empty before the first counts
}

// moves is how often a breaker went to a state.
type moves struct{ opened, halfOpened, closed uint64 }

// see takes the counts of now. Counters that fell are those of a new process, whose
// breaker began closed.
func (t *tracker) see(now moves) {
	step := moves{now.opened - t.last.opened, now.halfOpened - t.last.halfOpened, now.closed - t.last.closed}
	fell := now.opened < t.last.opened || now.halfOpened < t.last.halfOpened || now.closed < t.last.closed
	if fell || t.could == nil {
		t.could, step = []State{Closed}, now
	}
	t.last = now
	var could []State
	for _, end := range t.states() {
		if slices.ContainsFunc(t.could, func(start State) bool { return t.possible(start, end, step) }) {
			could = append(could, end)
		}
	}
	if len(could) == 0 { // someone moved the breaker by hand
		could = t.states()
	}
	t.could = could
}

func (t *tracker) states() []State {
	if t.noHalfOpen {
		return []State{Closed, Open}
	}
	return []State{Closed, Open, HalfOpen}
}

// possible reports whether a breaker can go from start to end by exactly these moves:
// how often it took each way follows from the counts, and none may be negative or out
// of reach.
func (t *tracker) possible(start, end State, m moves) bool {
	at := func(s, state State) int64 {
		if s == state {
			return 1
		}
		return 0
	}
	opened, half, closed := int64(m.opened), int64(m.halfOpened), int64(m.closed) //nolint:gosec // counts of events
	tripped := closed + at(start, Closed) - at(end, Closed)                       // from closed
	reopened := opened - tripped
	if tripped < 0 || reopened < 0 {
		return false
	}
	if !t.noHalfOpen && half-opened != at(start, Open)-at(end, Open) {
		return false
	}
	return start != Closed || tripped > 0 || opened+half+closed == 0
}

// is returns the state, or Unknown and why.
func (t *tracker) is() (State, string) {
	if len(t.could) == 1 {
		return t.could[0], ""
	}
	names := make([]string, len(t.could))
	for i, s := range t.could {
		names[i] = s.String()
	}
	return Unknown, fmt.Sprintf("the counts of its transitions allow %s", strings.Join(names, " and "))
}

// narrow drops what cannot be, by what else was seen.
func (t *tracker) narrow(to State) {
	if slices.Contains(t.could, to) {
		t.could = []State{to}
	}
}

// natural is a counter's value as a count; what is none, such as NaN, is 0.
func natural(f float64) uint64 {
	if f >= 1 { // false for NaN
		return uint64(min(f, 1<<53))
	}
	return 0
}
