package verdict

import (
	"slices"
	"time"
)

// unseen says that a call, which tried nothing that could be seen, was let through all
// the same, after those of t: it failed, and an open breaker's answer is another. Its
// connection comes back by itself, as gRPC's does, and was not back. As long as no call
// got the answer of an open breaker, that may be wrong instead: then only what reached
// the dependency before tells that it is not open yet.
func (o *Observed) unseen(d Declared, c Call, t Trip) bool {
	if !d.Answer || c.Outcome != Failed {
		return false
	}
	return o.rejects() || t.Attempts-t.Unseen+1+d.Retries < d.Failures
}

// rejects says that a call under the fault got the answer of an open breaker.
func (o *Observed) rejects() bool {
	return slices.ContainsFunc(o.calls(o.fault()), func(c Call) bool { return c.Outcome == Rejected })
}

// hides says that calls of this service were let through that tried nothing which could
// be seen. Then their outcomes tell, where these differ.
func (o *Observed) hides(d Declared) bool {
	t, tripped := FindTrip(d, o)
	return tripped && t.Unseen > 0
}

// passed are the calls of a span that were let through by their outcomes, of a service
// that hides what it tries; none of another.
func (o *Observed) passed(d Declared, s Span) (out []Call) {
	if !o.hides(d) {
		return nil
	}
	return slices.DeleteFunc(o.all(s), func(c Call) bool { return c.Outcome == Rejected })
}

// reachedIn says that something reached the dependency in a span, or was let through to it.
func (o *Observed) reachedIn(d Declared, s Span) bool {
	return o.during(s) > 0 || len(o.passed(d, s)) > 0
}

// LetThrough are the begins of calls since some time that were let through to the
// dependency and tried nothing that could be seen, in order.
func LetThrough(d Declared, o *Observed, since time.Duration) (at []time.Duration) {
	for _, c := range o.passed(d, Span{since, o.Ended + 1}) {
		at = append(at, c.At)
	}
	return at
}

// patient are the calls that took nearly as long as the service has patience with the
// dependency, and were not turned away: nothing but that keeps them.
func patient(d Declared, calls []Call) (n int) {
	for _, c := range calls {
		if c.Outcome == Failed && !c.GaveUp && d.CallTimeout > 0 && c.Took >= d.CallTimeout*7/10 && c.Starved < c.Took/2 {
			n++
		}
	}
	return n
}

// waited is how many of the calls took as long as those do that reach the dependency under
// the fault; of maybe it cannot be told, since an open breaker's answer may come as late
// where work waits for a core. Where it differs from a failed call's, it tells.
func (o *Observed) waited(d Declared, calls []Call) (n, maybe int) {
	differs := d.Answer && slices.ContainsFunc(o.calls(o.fault()), func(c Call) bool { return c.Outcome == Failed })
	for _, c := range calls {
		switch {
		case c.Took < o.Waits || c.Outcome == Rejected && differs:
		case c.Outcome == Rejected && c.Starved >= c.Took/2:
			maybe++
		default:
			n++
		}
	}
	return n, maybe
}
