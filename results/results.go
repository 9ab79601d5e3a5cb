// Package results holds what happened: the Result of one run of one check, its
// Steps, the Events around it, and the one road on which they travel. It is the
// ground of the project: it imports the standard library alone, every other
// package may import it, and it must never learn of a kind of check.
package results

import (
	"context"
	"fmt"
	"time"
)

// A Check looks at one thing once. It records what it does as steps; a nil error
// is well, any other is read by [Judge].
type Check interface {
	Run(ctx context.Context, rec *Recorder) error
}

// Status is what one run of a check, or one step of it, came to. Its numbers are
// the exit codes of monitoring plugins.
type Status uint8

// The statuses. Critical is theirs: the service did not do what it should.
// Unknown is ours: the check could not look, which says nothing of the service.
const (
	OK Status = iota
	Warning
	Critical
	Unknown
)

// Statuses lists all of them in the order of their numbers.
func Statuses() []Status { return []Status{OK, Warning, Critical, Unknown} }

// String returns the word that the store, the reports and the metrics use.
func (s Status) String() string {
	switch s {
	case OK:
		return "ok"
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// MarshalText writes the word, so that JSON shows no bare number.
func (s Status) MarshalText() ([]byte, error) {
	if s > Unknown {
		return nil, fmt.Errorf("status: got %d, want 0 to 3", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the word back.
func (s *Status) UnmarshalText(b []byte) error {
	for _, v := range Statuses() {
		if v.String() == string(b) {
			*s = v
			return nil
		}
	}
	return fmt.Errorf("status: got %q, want ok, warning, critical or unknown", b)
}

// Worse reports whether s is worse news than t: critical, unknown, warning, ok.
func (s Status) Worse(t Status) bool { return badness(s) > badness(t) }

func badness(s Status) int {
	switch s {
	case OK:
		return 0
	case Warning:
		return 1
	case Critical:
		return 3
	case Unknown:
	}
	return 2
}

// Key is the identity of a result. It makes replays, restarts and two schedulers
// harmless: a store keeps the first result of a key and leaves out the rest.
type Key struct {
	Check    string    `json:"check"`
	Location string    `json:"location"`
	Slot     time.Time `json:"slot"`          // planned start in UTC; of a run by hand its real start
	Run      string    `json:"run,omitempty"` // scenario run that asked for it
}

// A Request asks for one run. It can be written down and sent to another machine.
type Request struct {
	Key
}

// A Result is one run of one check. It is a value: nothing changes it once it is published.
type Result struct {
	Key
	Kind     string            `json:"kind"`
	Start    time.Time         `json:"start"`
	Duration time.Duration     `json:"duration_ns"`
	Status   Status            `json:"status"`
	Cause    Cause             `json:"cause,omitempty"`   // one fixed word; empty if ok
	Message  string            `json:"message,omitempty"` // what was wrong, or of a good run what was seen
	Steps    []Step            `json:"steps,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// A Step is a named part of a run: a look-up, a click, a phase of HTTP.
type Step struct {
	Parent    int                `json:"parent,omitempty"` // position of the enclosing step from 1; 0 is none
	Name      string             `json:"name"`
	Offset    time.Duration      `json:"offset_ns"` // since the Result's Start
	Duration  time.Duration      `json:"duration_ns"`
	Warning   time.Duration      `json:"warning_ns,omitempty"`  // 0 is no limit
	Critical  time.Duration      `json:"critical_ns,omitempty"` // 0 is no limit
	Status    Status             `json:"status"`
	Cause     Cause              `json:"cause,omitempty"`
	Error     string             `json:"error,omitempty"`
	Values    map[string]float64 `json:"values,omitempty"` // status_code, bytes, days_left ...
	Artifacts []Artifact         `json:"artifacts,omitempty"`
}

// An Artifact is evidence that is kept beside a step: a screenshot, a page's text.
// Stores keep Data apart under ID; what they give back has the ID alone.
type Artifact struct {
	ID        string `json:"id"` // SHA-256 of Data in hexadecimal
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Data      []byte `json:"-"`
}

// An Event is something that happened beside the checks, on the same clock: a
// fault, a breaker's transition, a time in which the process was down. Two records
// with the same Kind, Subject, Run, Location and Start are one event; the one with
// an End closes it.
type Event struct {
	Kind     string            `json:"kind"` // one of the Event constants
	Subject  string            `json:"subject"`
	Run      string            `json:"run,omitempty"`
	Location string            `json:"location"`
	Start    time.Time         `json:"start"`
	End      time.Time         `json:"end,omitzero"` // zero while it lasts
	Text     string            `json:"text,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// The kinds of events.
const (
	EventFault    = "fault"    // a planned fault, from armed to healed; Subject is its target
	EventScenario = "scenario" // a scenario's run, from its start to its verdict; Subject is its name
	EventBreaker  = "breaker"  // a breaker's transition as seen from outside
	EventDown     = "down"     // a time in which Foreshock itself did not run
)

// A Record is what travels the road: one Result or one Event.
type Record struct {
	Seq      uint64    `json:"seq"`      // place in the store's feed, from 1; 0 is not stored
	Received time.Time `json:"received"` // when the store got it
	Result   *Result   `json:"result,omitempty"`
	Event    *Event    `json:"event,omitempty"`
}
