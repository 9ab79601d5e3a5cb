package breaker

import (
	"encoding/json"
	"net/http"
	"time"
)

// A Snapshot is what a breaker shows of itself. Its counters only grow. Of Calls,
// those that are in none of Rejected, Failures, Successes and Abandoned are under way.
type Snapshot struct {
	Name  string    `json:"name"`
	State State     `json:"state"`
	Since time.Time `json:"since"`               // UTC
	Until time.Time `json:"open_until,omitzero"` // UTC; zero unless open
	Calls uint64    `json:"calls"`               // asked for
	// Rejected calls were not made because the breaker was open or had its probes under way.
	Rejected  uint64 `json:"rejected"`
	Failures  uint64 `json:"failures"`
	Successes uint64 `json:"successes"`
	Abandoned uint64 `json:"abandoned"` // their callers went away
	// What the breaker was told to do.
	Settings Declared `json:"settings"`
	// The last transitions, the oldest first.
	Transitions []Transition `json:"transitions"`
}

// Declared are the numbers of the Settings, as they are shown.
type Declared struct {
	Failures      int   `json:"failures"`
	OpenForMS     int64 `json:"open_for_ms"`
	HalfOpenCalls int   `json:"half_open_calls"`
	CallTimeoutMS int64 `json:"call_timeout_ms"` // 0 is none
}

// Snapshot returns what the breaker shows now. Taking it does not move the breaker.
func (b *Breaker) Snapshot() Snapshot {
	s := b.journal.snapshot()
	s.Name = b.settings.Name
	s.Settings = Declared{
		Failures:      b.settings.Failures,
		OpenForMS:     b.settings.OpenFor.Milliseconds(),
		HalfOpenCalls: b.settings.HalfOpenCalls,
		CallTimeoutMS: b.settings.CallTimeout.Milliseconds(),
	}
	// The parts before the whole, so that they never exceed it.
	s.Rejected, s.Failures = b.rejected.Load(), b.failures.Load()
	s.Successes, s.Abandoned = b.successes.Load(), b.abandoned.Load()
	s.Calls = b.calls.Load()
	return s
}

// Handler serves the snapshots of the breakers as a JSON list, in the order given.
func Handler(breakers ...*Breaker) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "got "+r.Method+", want GET", http.StatusMethodNotAllowed)
			return
		}
		all := make([]Snapshot, len(breakers))
		for i, b := range breakers {
			all[i] = b.Snapshot()
		}
		body, err := json.Marshal(all)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(body, '\n')) // a reader that went away is no concern of ours
	})
}
