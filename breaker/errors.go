package breaker

import (
	"errors"
	"fmt"
	"time"
)

// ErrOpen is what the error of every call matches that the breaker did not let through.
var ErrOpen = errors.New("circuit breaker is open")

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
