package breaker

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// What the errors of calls match that were not made.
var (
	ErrOpen = errors.New("circuit breaker is open")
	ErrFull = errors.New("too many calls at once")
)

// An OpenError is the error of a call that was not let through. It matches [ErrOpen].
type OpenError struct {
	Name  string
	State State     // Open, or HalfOpen while all probes are under way
	Until time.Time // UTC; from then on a call may go through. Zero if half open: any moment
}

// Error says which breaker it is and until when.
func (e *OpenError) Error() string {
	if e.State == HalfOpen {
		return fmt.Sprintf("breaker %s: half-open, and its probes are under way", e.Name)
	}
	return fmt.Sprintf("breaker %s: open until %s", e.Name, e.Until.Format("2006-01-02T15:04:05.000Z07:00"))
}

// Is reports that an OpenError is ErrOpen.
func (e *OpenError) Is(target error) bool { return target == ErrOpen }

// RetryAfter returns how long from now a caller had better wait; 0 is now. In the
// header Retry-After, which counts whole seconds, round it up.
func (e *OpenError) RetryAfter() time.Duration { return max(0, time.Until(e.Until)) }

// A FullError is the error of a call that was not made because as many as
// [Settings.MaxConcurrency] were under way. It matches [ErrFull], not [ErrOpen], and is
// no failure of the dependency.
type FullError struct {
	Name  string
	Limit int
}

// Error says which breaker it is, and its limit.
func (e *FullError) Error() string {
	return fmt.Sprintf("breaker %s: all %d places for calls are taken", e.Name, e.Limit)
}

// Is reports that a FullError is ErrFull.
func (e *FullError) Is(target error) bool { return target == ErrFull }

// Refuse answers 503 with Retry-After, in whole seconds and at least 1, if err is that
// of a call that a breaker did not make, and reports whether it did. What the answer
// says names no dependency.
func Refuse(w http.ResponseWriter, err error) bool {
	wait := time.Second
	if open, ok := errors.AsType[*OpenError](err); ok {
		wait = max(wait, open.RetryAfter())
	} else if !errors.Is(err, ErrFull) {
		return false
	}
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	http.Error(w, "a service that this one needs is resting", http.StatusServiceUnavailable)
	return true
}
