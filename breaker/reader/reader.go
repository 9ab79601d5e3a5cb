// Package reader asks a service what its circuit breaker says of itself, in the words
// and formats of many libraries and proxies: one file a kind. What it reads is a
// second witness beside what is seen from outside, so it must never guess: a state
// that the source does not give is Unknown, with the reason, and never Closed. It must
// never move a breaker, judge it, or show a header.
package reader

import (
	"context"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Reader asks one breaker of one service. One goroutine at a time may call Read: some
// sources only count transitions, and a Reader remembers what it has read before.
type Reader interface {
	// Read returns what the source says now. An error is always [results.ErrUnknown]:
	// the source could not be reached, did not answer in its form, or has no such
	// breaker, and then the error names those it has.
	Read(ctx context.Context) (Sample, error)
	// Close lets go of connections. Nothing may be called after it.
	Close() error
}

// A Sample is what a source says of a breaker at one moment.
type Sample struct {
	State State
	Raw   string // the source's own words, such as state="half_open"; "" if it has none
	// Note is why State is Unknown, or what makes it weaker than it looks; else "".
	Note string
	// NoHalfOpen says that the source has no word for half open: Open, here, may be
	// that. An engine that compares must not call it a disagreement.
	NoHalfOpen bool
	// Events are the transitions that the source dates itself, by its own clock, the
	// oldest first. The same ones come with every Sample as long as the source keeps them.
	Events []Event
	// Counters help a person: failures, not_permitted, calls and others. Some sources
	// count in a window, so they may fall.
	Counters map[string]float64
}

// An Event is a change of state that the source dated.
type Event struct {
	At       time.Time // by the source's clock
	From, To State     // Unknown where the source's word has no State
}

// Kinds lists every kind of reader.
func Kinds() kind.Table[Reader] {
	return kind.Table[Reader]{
		resilience4jKind,
		hystrixKind,
		envoyKind,
		istioKind,
		daprKind,
		pollyKind,
		opossumKind,
		sentinelKind,
		gobreakerKind,
		prometheusKind,
	}
}
