package results

import (
	"errors"
	"fmt"
	"time"
)

// ErrInvalid is what every error matches of a record that no store can keep.
var ErrInvalid = errors.New("invalid record")

// Validate reports what makes the record one that no store can keep: without it, one
// such record would stop all that wait behind it.
func (r Record) Validate() error {
	switch {
	case (r.Result == nil) == (r.Event == nil):
		return fmt.Errorf("%w: got a result and an event, or neither, want one of them", ErrInvalid)
	case r.Result != nil:
		return r.Result.validate()
	}
	return r.Event.validate()
}

func (r *Result) validate() error {
	switch {
	case r.Check == "":
		return fmt.Errorf("%w: result: got no check, want its name", ErrInvalid)
	case r.Status > Unknown:
		return fmt.Errorf("%w: result of %s: got %v, want 0 to 3", ErrInvalid, r.Check, r.Status)
	case !storable(r.Slot) || !storable(r.Start):
		return fmt.Errorf("%w: result of %s: got slot %v and start %v, want years 1678 to 2261", ErrInvalid, r.Check, r.Slot, r.Start)
	case r.Duration < 0:
		return fmt.Errorf("%w: result of %s: got a duration of %v, want at least 0", ErrInvalid, r.Check, r.Duration)
	}
	return nil
}

func (e *Event) validate() error {
	switch {
	case e.Kind == "":
		return fmt.Errorf("%w: event: got no kind, want one of the Event constants", ErrInvalid)
	case !storable(e.Start) || !e.End.IsZero() && !storable(e.End):
		return fmt.Errorf("%w: event %s %s: got %v to %v, want years 1678 to 2261", ErrInvalid, e.Kind, e.Subject, e.Start, e.End)
	case !e.End.IsZero() && e.End.Before(e.Start):
		return fmt.Errorf("%w: event %s %s: got an end %v before its start", ErrInvalid, e.Kind, e.Subject, e.Start.Sub(e.End))
	}
	return nil
}

// storable reports whether t fits into 64 bits of nanoseconds around 1970.
func storable(t time.Time) bool { return t.Year() > 1677 && t.Year() < 2262 }
