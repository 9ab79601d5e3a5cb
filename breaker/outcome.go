package breaker

import (
	"context"
	"errors"
	"fmt"
)

// An Outcome is what a call that was let through tells of the dependency.
type Outcome uint8

// The outcomes. The zero Outcome counts as Failure.
const (
	Failure   Outcome = iota + 1
	Success           // it answered; that the answer is an error may be the caller's fault
	Abandoned         // the caller went away: it tells nothing, and counts for nothing
)

// String returns failure, success or abandoned.
func (o Outcome) String() string {
	switch o {
	case Failure:
		return "failure"
	case Success:
		return "success"
	case Abandoned:
		return "abandoned"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Classify is how calls are judged unless Settings say otherwise. No error is a
// Success. With an error, a ctx that was cancelled makes it Abandoned: the caller went
// away. Any other error is a Failure, also if it came of a deadline in ctx: so a slow
// dependency shows.
func Classify(ctx context.Context, err error) Outcome {
	switch {
	case err == nil:
		return Success
	case errors.Is(ctx.Err(), context.Canceled):
		return Abandoned
	}
	return Failure
}

// A mark is what gobreaker is told of a call's end. It is an error because gobreaker
// asks for one, and a byte because a byte in an interface costs no allocation.
type mark uint8

const (
	good    mark = iota
	slow         // succeeded, but slowly
	bad          // failed
	badSlow      // failed, and slowly
	lost         // did not come back in time
	gone         // abandoned
)

// Error names the mark; nobody is shown it.
func (m mark) Error() string { return fmt.Sprintf("mark %d", uint8(m)) }

func (m mark) failed() bool { return m == bad || m == badSlow || m == lost }

func (m mark) isSlow() bool { return m == slow || m == badSlow }

// markOf gives back what gobreaker was told.
func markOf(err error) mark {
	m, _ := err.(mark) //nolint:errorlint // our own value, which nobody has wrapped
	return m
}
