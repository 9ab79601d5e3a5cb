package reader

import "strings"

// State is where a source says that a breaker stands.
type State uint8

// The states. The zero State is Unknown: the source does not say.
const (
	Unknown     State = iota
	Closed            // calls go through
	Open              // no call goes through
	HalfOpen          // a few calls go through as probes
	ForcedOpen        // no call goes through, because a person or a program said so
	Disabled          // every call goes through, whatever happens
	MetricsOnly       // as Disabled, but calls are counted
)

// words are the states as settings and reports name them; the index is the State.
func words() []string {
	return []string{"unknown", "closed", "open", "half-open", "forced-open", "disabled", "metrics-only"}
}

// String returns the word of the state, such as half-open.
func (s State) String() string {
	if all := words(); int(s) < len(all) {
		return all[s]
	}
	return "unknown"
}

// stateOf reads a state as sources write it: half-open, half_open, HALF_OPEN, HalfOpen.
func stateOf(word string) (State, bool) {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s))
	}
	for i, known := range words() {
		if plain(known) == plain(word) {
			return State(i), true
		}
	}
	return Unknown, false
}
