package breaker

import (
	"encoding/json"
	"net/http"
	"time"
)

// A Snapshot is what a breaker shows of itself; docs/breaker.md has its JSON. Its
// counters only grow. Of Calls, those that are in none of Rejected, Full, Failures,
// Successes and Abandoned are under way.
type Snapshot struct {
	Name  string    `json:"name"`
	State State     `json:"state"`
	Since time.Time `json:"since"`               // UTC
	Until time.Time `json:"open_until,omitzero"` // UTC; zero unless open
	Calls uint64    `json:"calls"`               // asked for
	// Rejected calls were not made because the breaker was open or had its probes under way.
	Rejected  uint64 `json:"rejected"`
	Full      uint64 `json:"full"` // not made because too many were under way
	Failures  uint64 `json:"failures"`
	Successes uint64 `json:"successes"`
	Abandoned uint64 `json:"abandoned"` // their callers went away
	Slow      uint64 `json:"slow"`      // of Failures and Successes
	InFlight  int    `json:"in_flight"`
	// What counts in the rates now; nil if no rule needs a rate.
	Window *Window `json:"window,omitempty"`
	// What the breaker was told to do.
	Settings Declared `json:"settings"`
	// How often it went which way, of all that a breaker can.
	Moves []Move `json:"moves"`
	// The last 64 transitions, the oldest first.
	Transitions []Transition `json:"transitions"`
}

// A Window is what the calls that count in the rates came to.
type Window struct {
	Calls    int `json:"calls"`
	Failures int `json:"failures"`
	Slow     int `json:"slow"`
}

// A Move is a kind of transition, and how often it was made.
type Move struct {
	From  State  `json:"from"`
	To    State  `json:"to"`
	Count uint64 `json:"count"`
}

// Declared are the numbers of the Settings, as they are shown. Where a field is left
// out of the JSON, there is no such rule or limit.
type Declared struct {
	Failures          int     `json:"failures,omitempty"`
	FailureRate       float64 `json:"failure_rate,omitempty"` // 0 to 1
	SlowCallMS        float64 `json:"slow_call_ms,omitempty"`
	SlowRate          float64 `json:"slow_rate,omitempty"` // 0 to 1
	MinCalls          int     `json:"min_calls,omitempty"`
	WindowMS          float64 `json:"window_ms,omitempty"`
	WindowCalls       int     `json:"window_calls,omitempty"`
	OpenForMS         float64 `json:"open_for_ms"`
	OpenFactor        float64 `json:"open_factor"`
	OpenMaxMS         float64 `json:"open_max_ms"`
	OpenJitter        float64 `json:"open_jitter"` // 0 to 0.9
	HalfOpenCalls     int     `json:"half_open_calls"`
	HalfOpenSuccesses int     `json:"half_open_successes"`
	ProbeTimeoutMS    float64 `json:"probe_timeout_ms"`
	CallTimeoutMS     float64 `json:"call_timeout_ms"` // 0 is none
	MaxConcurrency    int     `json:"max_concurrency,omitempty"`
}

func (s Settings) declared() Declared {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return Declared{
		Failures: s.Failures, FailureRate: s.FailureRate,
		SlowCallMS: ms(s.SlowCall), SlowRate: s.SlowRate,
		MinCalls: s.MinCalls, WindowMS: ms(s.Window), WindowCalls: s.WindowCalls,
		OpenForMS: ms(s.OpenFor), OpenFactor: s.OpenFactor, OpenMaxMS: ms(s.OpenMax), OpenJitter: s.OpenJitter,
		HalfOpenCalls: s.HalfOpenCalls, HalfOpenSuccesses: s.HalfOpenSuccesses,
		ProbeTimeoutMS: ms(s.ProbeTimeout), CallTimeoutMS: ms(s.CallTimeout), MaxConcurrency: s.MaxConcurrency,
	}
}

// Snapshot returns what the breaker shows now. Taking it does not move the breaker.
func (b *Breaker) Snapshot() Snapshot {
	s := b.journal.snapshot()
	s.Settings = b.settings.declared()
	if b.window != nil {
		t := b.window.sum()
		s.Window = &Window{Calls: int(t.calls), Failures: int(t.failures), Slow: int(t.slow)}
	}
	s.InFlight = b.inFlight.taken()
	s.Slow = b.slow.Load()
	// The parts before the whole, so that they never exceed it.
	s.Rejected, s.Full, s.Failures = b.rejected.Load(), b.full.Load(), b.failures.Load()
	s.Successes, s.Abandoned = b.successes.Load(), b.abandoned.Load()
	s.Calls = b.calls.Load()
	return s
}

// Snapshots returns the one snapshot of the breaker: it is a [Source].
func (b *Breaker) Snapshots() []Snapshot { return []Snapshot{b.Snapshot()} }

// A Source has breakers to show: a [*Breaker] itself, a [*Group], or [Sources] of them.
type Source interface{ Snapshots() []Snapshot }

// Sources shows the breakers of all of them, in order.
type Sources []Source

// Snapshots returns the snapshots of all sources; none is an empty list.
func (all Sources) Snapshots() []Snapshot {
	list := []Snapshot{}
	for _, s := range all {
		list = append(list, s.Snapshots()...)
	}
	return list
}

// Handler serves the snapshots of the breakers as a JSON list, in the order given.
func Handler(sources ...Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "got "+r.Method+", want GET", http.StatusMethodNotAllowed)
			return
		}
		body, err := json.Marshal(Sources(sources).Snapshots())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(body, '\n')) // a reader that went away is no concern of ours
	})
}
