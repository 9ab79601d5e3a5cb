package verdict

import (
	"cmp"
	"slices"
	"time"
)

// quietCalls is how many calls in a row must cause no attempt before the breaker is
// taken to be open.
const quietCalls = 3

// A Trip is when a breaker opened, as seen from outside.
type Trip struct {
	Since    time.Duration // begin of the last call that reached the dependency: it was closed then
	At       time.Duration // end of that call: it was open by then
	Starved  time.Duration // of that call
	Calls    int           // failed calls in a row that reached it
	Attempts int           // what these calls tried, and whoever else did meanwhile
	// Maybe counts calls among them of which it cannot be told: they caused no attempt,
	// and may have died on a connection that was open before.
	Maybe int
	// Unseen counts calls among them that tried nothing that could be seen, and failed
	// with another answer than an open breaker's: their connection comes back by itself.
	Unseen int
	// Turned counts calls among them that got an open breaker's answer, and an attempt
	// came all the same: it may be somebody else's.
	Turned int
	// Overlap says that one of them may have gone on in the service after its end here.
	Overlap bool
}

// FindTrip finds the last call under the fault before calls no longer reach the
// dependency; ok is false as long as they do. Where an answer of an open breaker is
// declared, any success is a real one, and begins the row of failures anew.
func FindTrip(d Declared, o *Observed) (t Trip, ok bool) {
	var since pending
	before := o.fault().Start
	for i, c := range o.calls(o.fault()) {
		if o.wave(&t, Span{before, c.At}) > 0 {
			since = pending{}
		}
		before = c.At
		n, maybe := o.reached(i, t.Calls == 0)
		hidden := n == 0 && o.unseen(d, c, t)
		real := d.Answer && c.Outcome == Success && !c.Slow
		if n == 0 && !hidden && !real {
			since.add(d, c)
			if since.quiet >= quietCalls && t.Calls > 0 {
				t.Maybe += since.slow
				return t, true
			}
			continue
		}
		switch {
		case since.turnedAway() && t.full(d):
			return t, true // it was open: this one leaks
		case real:
			t = Trip{}
		case hidden:
			t.Maybe += since.quiet
			t.addUnseen(c)
		default:
			t.Maybe += since.quiet + maybe // the quiet ones before it were no open breaker's
			t.add(c, n-maybe)
		}
		since = pending{}
	}
	return t, false
}

// pending are the calls since the last one that reached the dependency.
type pending struct {
	quiet  int // all of them
	slow   int // that may have failed at the dependency
	turned int // that got the answer of an open breaker at once
}

func (p *pending) add(d Declared, c Call) {
	p.quiet++
	if d.waited(c) {
		p.slow++
	}
	if d.Answer && c.Outcome == Rejected && c.Took <= d.FailsFastIn {
		p.turned++
	}
}

// turnedAway says that there are some, and each got the answer of an open breaker.
func (p *pending) turnedAway() bool { return p.quiet > 0 && p.turned == p.quiet }

// waited says that a call may have failed at the dependency although it tried nothing
// that could be seen: it got no answer of an open breaker, and not at once. On a busy
// machine its patience may end before it tries.
func (d Declared) waited(c Call) bool {
	return c.Outcome != Rejected && c.Took > min(d.FailsFastIn, d.CallTimeout/2)
}

// wave adds what came of calls that were made together between two others, since so many
// were needed: each attempt is one of them.
func (o *Observed) wave(t *Trip, between Span) (attempts int) {
	together := slices.DeleteFunc(o.all(between), func(c Call) bool {
		return !c.Apart || o.Probe.Start > 0 && c.At >= o.Probe.Start
	})
	if len(together) == 0 {
		return 0
	}
	attempts = o.during(Span{together[0].At, between.End})
	for _, c := range together {
		t.Since, t.At, t.Starved = c.At, max(t.At, c.At+c.Took), t.Starved+c.Starved
	}
	t.Calls, t.Attempts = t.Calls+attempts, t.Attempts+attempts
	return attempts
}

func (t *Trip) add(c Call, attempts int) {
	t.Since, t.At, t.Starved = c.At, c.At+c.Took, c.Starved
	t.Overlap = t.Overlap || c.GaveUp
	if c.Outcome == Rejected {
		t.Turned++
	}
	t.Attempts += attempts
	if attempts > 0 {
		t.Calls++
	}
}

// full says that as many calls reached the dependency as are declared to open it.
func (t *Trip) full(d Declared) bool {
	return d.Failures > 0 && t.Calls >= d.Failures && t.Calls <= d.Failures+d.Slack
}

// addUnseen adds a call that was let through and tried nothing that could be seen.
func (t *Trip) addUnseen(c Call) {
	t.add(c, 1)
	t.Unseen++
}

// reached is how often the nth call under the fault tried to reach the dependency,
// and how much of that is a guess. A call on a pooled connection dies without an
// attempt of its own: the packets that the fault met tell of it.
func (o *Observed) reached(nth int, first bool) (n, maybe int) {
	calls := o.calls(o.fault())
	c := calls[nth]
	n = o.during(o.window(c))
	if n == 0 && c.Met {
		n = 1
		if o.Repeats && !first && !o.Survive {
			maybe = 1
		}
	}
	return n, maybe
}

// late is how long after the end of a call its attempts may be seen.
const late = 5 * time.Millisecond

// window is the time that belongs to a call: up to the next one, or to healing. What
// it caused is seen by then, since attempts are read after each call.
func (o *Observed) window(c Call) Span {
	end := o.Ended
	if f := o.fault(); f.Has(c.At) {
		end = f.End
	}
	if o.Noisy {
		end = min(end, c.At+c.Took+late)
	}
	for _, next := range o.Calls {
		if next.At > c.At {
			return Span{c.At, min(end, next.At)}
		}
	}
	return Span{c.At, end}
}

// row is the longest row of failed calls that all reached the dependency, how the
// first one that was long enough to open the breaker ended, and whether there were
// calls that did not reach it.
func row(d Declared, o *Observed) (longest int, end Trip, quiet bool) {
	var t Trip
	before := o.fault().Start
	for i, c := range o.calls(o.fault()) {
		o.wave(&t, Span{before, c.At})
		before = c.At
		n, maybe := o.reached(i, t.Calls == 0)
		switch {
		case n == 0 && o.unseen(d, c, t):
			t.addUnseen(c)
		case n-maybe == 0 || c.Outcome == Success && d.Answer && !c.Slow:
			quiet = true
			t = Trip{}
			continue
		default:
			t.add(c, n)
		}
		if t.Calls >= d.Failures && end.Calls == 0 {
			end = t
		}
		longest = max(longest, t.Calls)
	}
	return longest, end, quiet
}

// shouldBeOpen is the span in which the breaker is open, or would be if it had
// tripped when it should have, and the trip that began it.
func shouldBeOpen(d Declared, o *Observed) (s Span, t Trip, tripped bool) {
	t, tripped = FindTrip(d, o)
	if !tripped {
		if _, t, _ = row(d, o); d.Failures == 0 || t.Calls == 0 {
			return Span{}, t, false
		}
	}
	s = Span{t.At, max(t.At, o.openUntil(d, t))}
	s.End = min(s.End, o.fault().End)
	return s, t, tripped
}

// openUntil is until when a breaker that opened at t must let nothing through. It
// opened before we could see it, by as much as an answer takes to reach us: the
// slowest of those that waited for nobody says how long that may be. But it was
// closed when its last call began.
func (o *Observed) openUntil(d Declared, t Trip) time.Duration {
	openFor, _ := d.Opens(1)
	openFor = cmp.Or(openFor, leastOpen)
	starved := t.Starved
	if took := t.At - t.Since; d.CallTimeout > 0 && took >= d.CallTimeout {
		starved = min(starved, took-d.CallTimeout) // it gave up in time, and was late to say so
	}
	lag := max(50*time.Millisecond, openFor/20) + starved
	span := Span{t.At, t.At + openFor}
	for _, c := range o.calls(span) {
		if o.during(o.window(c)) == 0 {
			lag = max(lag, starved+c.Took)
		}
	}
	return max(t.At+openFor-lag, t.Since+openFor*19/20)
}

// leastOpen is the shortest open time that can be seen from outside.
const leastOpen = 200 * time.Millisecond

// ignored reports whether a call reached the dependency at a time when the breaker
// must have been open, after as many failures in a row as are declared. One that came
// later may have been the half-open probe: a busy machine makes few calls.
func ignored(d Declared, o *Observed) bool {
	_, t, _ := row(d, o)
	if t.Calls == 0 {
		return false
	}
	open := Span{o.nextCall(t.At), o.openUntil(d, t)}
	if o.Survive {
		return o.metIn(open) > 0
	}
	if t.Unseen > 0 && slices.ContainsFunc(o.calls(open), func(c Call) bool { return c.Outcome == Failed }) {
		return true // which is not how an open one answers
	}
	var in []time.Duration
	for _, a := range o.Attempts {
		if open.Has(a) {
			in = append(in, a)
		}
	}
	return d.real(o, t, in)
}

// nextCall is when the first call after some time began: what is seen before then was
// caused by calls before it.
func (o *Observed) nextCall(after time.Duration) time.Duration {
	for _, c := range o.Calls {
		if c.At >= after {
			return c.At
		}
	}
	return after
}

// metIn is how many calls in a span the fault met packets of.
func (o *Observed) metIn(s Span) (n int) {
	for _, c := range o.calls(s) {
		if c.Met || o.during(o.window(c)) > 0 {
			n++
		}
	}
	return n
}

// real reports whether attempts after the breaker opened cannot all be belated ones of
// the last call before: that had so many tries and no more.
func (d Declared) real(o *Observed, t Trip, attempts []time.Duration) bool {
	return len(attempts) > 1+d.Retries ||
		slices.ContainsFunc(attempts, func(a time.Duration) bool { return !o.belated(t, a) })
}

// belated says that an attempt after the breaker opened may be one that a call before
// had begun: not every one of these had tried when it ended, and for half of the time
// since the fault began, the machine was short of CPU.
func (o *Observed) belated(t Trip, attempt time.Duration) bool {
	before := Span{o.Armed.Start, t.At}
	lacks := false
	for i := range o.calls(before) {
		n, _ := o.under(before).reached(i, i == 0)
		lacks = lacks || n == 0
	}
	if t.Calls == 0 || !lacks {
		return false
	}
	var starved time.Duration
	for _, c := range o.calls(Span{before.Start, attempt}) {
		starved += min(c.Starved, attempt-c.At)
	}
	return starved >= (attempt-before.Start)/2
}

// OpenTime is between which times the breaker stayed open: nothing was tried after
// least, and something after most. ok is false if that was not seen.
func OpenTime(o *Observed, t Trip) (least, most time.Duration, ok bool) {
	for _, a := range o.Attempts {
		if a <= t.At {
			continue
		}
		for _, c := range o.Calls {
			if c.At > t.At && c.At+c.Took < a && o.during(o.window(c)) == 0 {
				least = c.At - t.At
			}
		}
		return least, a - t.At + 10*time.Millisecond, true // it opened a little before we saw it
	}
	return 0, 0, false
}

// roundest is the number in a range that a person would have chosen.
func roundest(least, most time.Duration) time.Duration {
	for _, step := range []time.Duration{
		time.Minute, 10 * time.Second, 5 * time.Second, time.Second,
		500 * time.Millisecond, 100 * time.Millisecond, 50 * time.Millisecond, 10 * time.Millisecond,
	} {
		if n := most.Truncate(step); n >= least && n > 0 {
			return n
		}
	}
	return least.Round(time.Millisecond)
}
