package nfqueue

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A Stage is one thing that happens to packets. Its methods are called by one
// goroutine at a time, and must not wait.
type Stage interface {
	// Name is the stage's name in counters and errors, such as delay.
	Name() string
	// Check reports a setting that makes no sense, by a [SettingError].
	Check() error
	// Need says how much of each packet the stage must see.
	Need() Need
	// Decide says what becomes of a packet that reached the stage at now. Packets
	// come in the order in which they reached it.
	Decide(p *Packet, now time.Time) Decision
}

// Need is how much of a packet a stage must see. A queue has the largest of all its
// stages' needs.
type Need int

// The needs.
const (
	// Headers are the first 128 bytes of packets that may be as large as the host's
	// offloading makes them: up to 64 KiB for many segments of the wire.
	Headers Need = iota
	// Segments are the first 128 bytes of packets as the wire has them.
	Segments
	// Whole are all bytes of packets as the wire has them, with their checksums.
	Whole
)

// A Decision is what becomes of a packet. The zero value lets it reach the next stage.
type Decision struct {
	// Answer is a packet that is sent in place of this one, from its IP header on. If
	// it cannot be sent, this one goes on untouched. Only of a stage that Needs Whole.
	Answer []byte
	// Drop makes it vanish; its sender hears nothing. Until is ignored then.
	Drop bool
	// Until is when it reaches the next stage; a time that has passed is now.
	Until time.Time
}

// chance is true for so many of a hundred.
func chance(percent float64) bool {
	return rand.Float64()*100 < percent //nolint:gosec // chance, not a secret
}

func checkPercent(percent float64) error {
	if percent > 0 && percent <= 100 {
		return nil
	}
	return wrong("percent", "got %v, want more than 0 and at most 100", percent)
}

// A SettingError is of a setting of a stage that makes no sense.
type SettingError struct {
	Setting string // in lower case
	Err     error  // got, want
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *SettingError) Unwrap() error { return e.Err }

func wrong(setting, format string, args ...any) error {
	return &SettingError{setting, fmt.Errorf(format, args...)}
}
