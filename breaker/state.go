package breaker

import (
	"fmt"

	"github.com/sony/gobreaker/v2"
)

// State is where a breaker stands.
type State uint8

// The states. The zero State is none of them.
const (
	Closed   State = iota + 1 // calls go through
	HalfOpen                  // a few calls go through as probes
	Open                      // no call goes through
)

// String returns the word used in JSON: closed, half-open or open.
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case HalfOpen:
		return "half-open"
	case Open:
		return "open"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText writes the word; it fails on a State that is none.
func (s State) MarshalText() ([]byte, error) {
	if s < Closed || s > Open {
		return nil, fmt.Errorf("breaker state: got %d, want 1 to 3", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the word back; it fails on any other.
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{Closed, HalfOpen, Open} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("breaker state: got %q, want closed, half-open or open", text)
}

// stateOf translates; gobreaker numbers its states otherwise.
func stateOf(s gobreaker.State) State {
	switch s {
	case gobreaker.StateClosed:
		return Closed
	case gobreaker.StateHalfOpen:
		return HalfOpen
	case gobreaker.StateOpen:
		return Open
	}
	return 0
}
