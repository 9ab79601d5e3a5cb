package verdict

import (
	"fmt"
	"slices"
	"time"
)

// notBeforeThreshold: one failure fewer than declared does not open the breaker, nor
// do failures with a success between them add up.
func notBeforeThreshold(d Declared, all *Observed) Property {
	p := heldBefore(d, all.before(all.nextRound()))
	if p.Verdict == Pass {
		all.remembers(&p, d)
	}
	return p
}

// remembers says that fewer failures than declared opened the breaker when it had just
// closed: those from before that still count.
func (o *Observed) remembers(p *Property, d Declared) {
	view := o.under(o.Relapse)
	var starved time.Duration
	for i, c := range view.calls(o.Relapse) {
		starved += c.Starved
		n, _ := view.reached(i, true)
		if n > 0 || d.waited(c) || d.Answer && c.Outcome != Rejected {
			continue
		}
		others := o.during(Span{o.Relapse.Start, c.At}) >= d.Failures // failed beside ours
		if i > 0 && !others {
			p.Verdict, p.Span = Fail, o.Relapse
			p.Observed = fmt.Sprintf("opened after %d, when it had just closed", i)
			p.Detail = fmt.Sprintf("When it had closed, %d failed call(s) opened it, %d are declared: failures from before still count, or it needs more successes to close than declared (breaker.half_open_successes).", i, d.Failures)
			o.early(p, d, starved, Span{o.Relapse.Start, c.At + c.Took})
		}
		return
	}
}

// heldBefore judges what was seen before it opened, and the outage.
func heldBefore(d Declared, o *Observed) Property {
	p := Property{Expected: fmt.Sprintf("stays closed for %d failed calls", d.Failures-1), Span: o.fault()}
	t, tripped := FindTrip(d, o)
	switch why := blind(d, o); {
	case d.Failures == 0:
		p.Expected, p.Verdict, p.Detail = "", Skipped, "No threshold is declared."
	case d.Failures == 1:
		p.Expected, p.Verdict, p.Detail = "", Skipped, "The first failure opens it, so there is nothing before."
	case why != "":
		p.Verdict, p.Detail = Inconclusive, "Attempts could not be counted: "+why+"."
	case o.Tried.Length() > 0 && !heldOut(&p, d, o):
	case tripped && t.Attempts+t.Maybe < d.Failures && t.Calls*(1+d.Retries) < d.Failures:
		p.Verdict, p.Observed = Fail, fmt.Sprintf("opened after %d", t.Calls)
		p.Detail = fmt.Sprintf("It opened after %d failed calls, %d are declared.", t.Calls, d.Failures)
		if o.Tried.Length() > 0 {
			p.Detail += " Do failures from before a success still count?"
		}
	case tripped && t.Attempts < d.Failures && t.Calls*(1+d.Retries) < d.Failures:
		p.Verdict, p.Detail = Inconclusive, "It cannot be told how many calls failed on connections that were open before."
	case p.Observed == "" && !tripped && o.reaching() < d.Failures:
		p.Verdict, p.Detail = Inconclusive, "Too few calls reached the dependency to tell."
	case p.Observed == "":
		p.Observed = fmt.Sprintf("closed for %d failed calls", d.Failures-1)
		p.Detail = "It let calls through up to its threshold."
	}
	return p
}

// heldOut judges the time in which the fault held for too few failures to open the
// breaker: whoever called then, and after healing, must have been let through.
func heldOut(p *Property, d Declared, o *Observed) bool {
	p.Span = Span{o.Tried.Start, o.Armed.Start}
	tried := o.under(o.Tried)
	failed := len(tried.calls(o.Tried))
	var starved time.Duration
	for i, c := range tried.calls(o.Tried) {
		starved += c.Starved
		if n, _ := tried.reached(i, true); n == 0 && !d.waited(c) && (!d.Answer || c.Outcome == Rejected) {
			p.Verdict, p.Observed = Fail, fmt.Sprintf("opened after %d", i)
			p.Detail = fmt.Sprintf("It opened after %d failed calls, %d are declared.", i, d.Failures)
			return o.early(p, d, starved, Span{o.Tried.Start, c.At + c.Took})
		}
	}
	p.Observed = fmt.Sprintf("closed after %d failed calls", failed)
	for _, c := range o.calls(Span{o.Tried.End, o.Armed.Start}) {
		starved += c.Starved
		if c.Outcome == Failed {
			failed++ // although it was healed
		}
		switch {
		case c.Outcome == Success:
			p.Detail = fmt.Sprintf("After %d failed calls, and healing, the next call went through.", failed)
			return true
		case c.Outcome == Rejected || !d.Answer && !d.waited(c) && o.during(o.window(c)) == 0:
			p.Verdict, p.Observed = Fail, fmt.Sprintf("open after %d", failed)
			p.Detail = fmt.Sprintf("After %d failed calls it was open, %d are declared.", failed, d.Failures)
			if failed >= d.Failures && d.Answer { // the last of them was let through
				p.Verdict, p.Observed = Pass, fmt.Sprintf("closed after %d failed calls", d.Failures-1)
				p.Detail = fmt.Sprintf("After %d failed calls the next one was let through; it failed although the fault was healed.", d.Failures-1)
				return true
			}
			if failed >= d.Failures {
				p.Verdict, p.Detail = Inconclusive, "Calls went on failing after the fault was healed, enough to open it."
			}
			return o.early(p, d, starved, Span{o.Tried.Start, c.At + c.Took})
		}
	}
	p.Verdict, p.Observed, p.Detail = Inconclusive, "", "No call succeeded after the fault was healed, nor was one rejected."
	return false
}

// early keeps a machine that was short of CPU from blaming the breaker: calls of others
// may have failed for want of it, and have been counted rightly. It is not to blame where
// nobody else is seen to have called.
func (o *Observed) early(p *Property, d Declared, starved time.Duration, s Span) bool {
	others := slices.ContainsFunc(o.Checks, func(r CheckRun) bool { return r.At < s.End && r.At+r.Took >= s.Start })
	if d.Answer && d.Retries == 0 && !others && o.during(s) < d.Failures {
		return false
	}
	if lasted := s.Length(); starved > 100*time.Millisecond && starved > lasted/4 {
		p.Verdict, p.Detail = Inconclusive, fmt.Sprintf("The machine was short of CPU for %s of %s: other calls may have failed for want of it.", round(starved), round(lasted))
	}
	return false
}
