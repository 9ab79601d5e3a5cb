package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// unseen is what was seen of a service whose connection comes back by itself: n calls are
// let through, of which two tried something, and admitted are in half open.
func unseen(n, admitted int, took time.Duration) *verdict.Observed {
	o := story(n)
	o.Attempts = slices.Delete(o.Attempts, 2, len(o.Attempts)-1) // the last came after healing
	for i := range n {
		o.Calls[i].Outcome, o.Calls[i].Took = verdict.Failed, took
	}
	for i := range o.Calls {
		if !o.Probe.Has(o.Calls[i].At) {
			continue
		}
		o.Calls[i].Took = ms
		if admitted > 0 {
			o.Calls[i].Outcome, o.Calls[i].Took = verdict.Failed, took
			admitted--
		}
	}
	return o
}

// Calls that fail while a connection comes back by itself are let through, although they
// try nothing: where an open breaker answers otherwise, each of them counts.
func TestCallsThatTryNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    *verdict.Observed
		id   string
		want verdict.Verdict
		says string
	}{
		"right, they fail at once":    {unseen(5, 1, ms), "", verdict.Pass, ""},
		"right, they wait":            {unseen(5, 1, 300*ms), "", verdict.Pass, ""},
		"right, it reconnects":        {reconnects(), "half-open-limit", verdict.Pass, "1 of 11"},
		"opens late":                  {unseen(6, 1, ms), "trips-at-threshold", verdict.Fail, "6 calls in a row failed"},
		"opens early":                 {unseen(4, 1, ms), "trips-at-threshold", verdict.Fail, "too early"},
		"a herd that waits":           {unseen(5, 8, 300*ms), "half-open-limit", verdict.Fail, "8 of 11 calls"},
		"a herd, or another answer":   {unseen(5, 8, ms), "half-open-limit", verdict.Inconclusive, "another answer"},
		"never opens":                 {neverTurned(), "trips-at-threshold", verdict.Fail, "did not open"},
		"it is not back after it all": {notBack(), "closes-on-success", verdict.Inconclusive, "recovers_in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := declared()
			d.Background = 1
			for _, p := range verdict.Judge(d, c.o) {
				if c.id == "" && p.Verdict != verdict.Pass && !notDeclared(p) {
					t.Errorf("%s: got %v %q %q, want pass", p.ID, p.Verdict, p.Observed, p.Detail)
				}
				if p.ID == c.id && (p.Verdict != c.want || !strings.Contains(p.Detail+p.Observed, c.says)) {
					t.Errorf("got %v %q %q, want %v and %q", p.Verdict, p.Observed, p.Detail, c.want, c.says)
				}
			}
		})
	}
}

// reconnects is a service whose connection is tried again just before its breaker is.
func reconnects() *verdict.Observed {
	o := unseen(5, 1, ms)
	o.Attempts = slices.Insert(o.Attempts, 2, o.Probe.Start-100*ms)
	return o
}

func neverTurned() *verdict.Observed {
	o := unseen(15, 0, ms)
	o.Calls = o.Calls[:15]
	for i := range o.Calls {
		o.Calls[i].At = armed + time.Duration(i)*20*ms
	}
	o.Attempts = o.Attempts[:2]
	o.Attempts[1] = o.Calls[1].At + ms
	o.Armed.End, o.Ended, o.Probe = 0, armed+15*20*ms, verdict.Span{}
	return o
}

// notBack is a service whose last probe failed not long before the end.
func notBack() *verdict.Observed {
	o := unseen(5, 1, ms)
	o.Attempts = o.Attempts[:2]
	end := o.Armed.End
	o.Calls = slices.DeleteFunc(o.Calls, func(c verdict.Call) bool { return c.At >= end })
	for at := end; at < end+8*time.Second; at += 50 * ms {
		outcome := verdict.Rejected
		if (at-end)%(2*time.Second) == 0 {
			outcome = verdict.Failed
		}
		o.Calls = append(o.Calls, verdict.Call{At: at, Took: ms, Outcome: outcome})
	}
	o.Ended = end + 8*time.Second
	return o
}

// round notes that the fault held once more, for calls that come one every 320 ms and
// take so long; those that are turned away are at once.
func round(o *verdict.Observed, took time.Duration, outcomes ...verdict.Outcome) verdict.Span {
	if o.Later == 0 {
		o.Later = o.Ended
	}
	s := verdict.Span{Start: o.Ended}
	at := o.Ended
	for _, is := range outcomes {
		c := verdict.Call{At: at, Took: took, Outcome: is}
		if is == verdict.Rejected {
			c.Took = ms
		} else {
			o.Attempts = append(o.Attempts, at+ms)
		}
		o.Calls = append(o.Calls, c)
		at += 320 * ms
	}
	s.End = at
	o.Ended = at
	return s
}

// What the later rounds tell of breakers that the outage did not tell apart.
func TestLaterRounds(t *testing.T) {
	t.Parallel()
	const f, r, s = verdict.Failed, verdict.Rejected, verdict.Success
	window := func(d *verdict.Declared, o *verdict.Observed, after ...verdict.Outcome) {
		d.Window = 10 * time.Second
		again(o, 10, 5)
		o.Aged = verdict.Aged{Span: round(o, 300*ms, f, f, f, f), Failures: 4}
		o.Ended += 13 * time.Second
		o.Aged.Anew = o.Ended
		o.Aged.End = round(o, 300*ms, after...).End
	}
	for name, c := range map[string]struct {
		bend func(*verdict.Declared, *verdict.Observed)
		id   string
		want verdict.Verdict
		says string
	}{
		"a herd of calls that hang": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Hung = round(o, 300*ms, f, f, f, f, f, r, r, r, r, r)
			crowd(o, 11)
		}, "half-open-limit", verdict.Fail, "11 of 11 calls"},
		"one of the calls that hang": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Hung = round(o, 300*ms, f, f, f, f, f, r, r, r, r, r)
			crowd(o, 1)
		}, "half-open-limit", verdict.Pass, "1 of 11 calls"},
		"a dependency that was back": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Hung = round(o, 300*ms, f, f, f, f, f, r, r, r, r, r)
			crowd(o, 6)
			slices.SortStableFunc(o.Attempts, func(a, b time.Duration) int { return int(a - b) })
			o.Probe, o.Crowd, o.Armed = o.Crowd, verdict.Span{}, o.Hung
			o.Later = 0
			o.Calls[len(o.Calls)-11].Outcome = s
		}, "half-open-limit", verdict.Inconclusive, "was back"},
		"old failures count":   {func(d *verdict.Declared, o *verdict.Observed) { window(d, o, f, r) }, "sliding-window", verdict.Fail, "old failures still count"},
		"old failures do not":  {func(d *verdict.Declared, o *verdict.Observed) { window(d, o, f, f) }, "sliding-window", verdict.Pass, ""},
		"open before they did": {func(d *verdict.Declared, o *verdict.Observed) { window(d, o, r, r) }, "sliding-window", verdict.Pass, ""},
		"failures from before it closed": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Relapse = round(o, 300*ms, f, r, r, r)
		}, "not-before-threshold", verdict.Fail, "1 failed call(s) opened it"},
		"none from before it closed": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Relapse = round(o, 300*ms, f, f, f, f)
		}, "not-before-threshold", verdict.Pass, ""},
		"quick calls count as slow": {func(d *verdict.Declared, o *verdict.Observed) {
			d.SlowCall, d.SlowCalls = 200*ms, 5
			o.Quick = round(o, 130*ms, s, s, s, s, s, r, r, r)
		}, "slow-calls-count", verdict.Fail, "5 calls of at most 130ms"},
		"quick calls, and too few slow ones": {func(d *verdict.Declared, o *verdict.Observed) {
			d.SlowCall, d.SlowCalls = 200*ms, 5
			o.Quick = round(o, 130*ms, s, s, s, s, s, r, r, r)
			slower(o, o.Quick, 3)
		}, "slow-calls-count", verdict.Fail, "after 3 slow calls"},
		"a machine that made all of them slow": {func(d *verdict.Declared, o *verdict.Observed) {
			d.SlowCall, d.SlowCalls = 200*ms, 5
			o.Quick = round(o, 130*ms, s, s, s, s, s, s, r, r, r)
			slower(o, o.Quick, 5)
			slowly(o, 5, 4)
		}, "slow-calls-count", verdict.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := declared(), story(5)
			c.bend(&d, o)
			if p := judged(t, d, o, c.id); p.Verdict != c.want || !strings.Contains(p.Detail+p.Observed, c.says) {
				t.Errorf("got %v %q %q, want %v and %q", p.Verdict, p.Observed, p.Detail, c.want, c.says)
			}
		})
	}
}

// crowd notes that 11 calls came together, of which some were let through.
func crowd(o *verdict.Observed, admitted int) {
	o.Crowd = verdict.Span{Start: o.Ended, End: o.Ended + 320*ms}
	for i := range 11 {
		c := verdict.Call{At: o.Ended, Took: ms, Outcome: verdict.Rejected, Apart: true}
		if i < admitted {
			c.Took, c.Outcome = 300*ms, verdict.Failed
			o.Attempts = append(o.Attempts, o.Ended+time.Duration(i))
		}
		o.Calls = append(o.Calls, c)
	}
	o.Ended += 320 * ms
	o.Hung.End = o.Ended
}

// slower makes the last n successes of a span slow.
func slower(o *verdict.Observed, s verdict.Span, n int) {
	for i := len(o.Calls) - 1; i >= 0 && n > 0; i-- {
		if c := &o.Calls[i]; s.Has(c.At) && c.Outcome == verdict.Success {
			c.Took, c.Slow = 250*ms, true
			n--
		}
	}
}

// A call that leaks as soon as it is open is none of those that opened it.
func TestLeaksAtOnce(t *testing.T) {
	t.Parallel()
	o := story(5)
	leak := &o.Calls[6]
	leak.Outcome, leak.Took = verdict.Failed, 40*ms
	o.Attempts = slices.Insert(o.Attempts, 5, leak.At+ms)
	if p := judged(t, declared(), o, "trips-at-threshold"); p.Verdict != verdict.Pass {
		t.Errorf("got %v %q, want pass: it opened after 5", p.Verdict, p.Observed)
	}
	if p := judged(t, declared(), o, "quiet-while-open"); p.Verdict != verdict.Fail {
		t.Errorf("got %v %q, want fail", p.Verdict, p.Observed)
	}
}

// Where connections live on, a call that sent packets, waited and was not turned away has
// reached the dependency, also on a machine short of CPU.
func TestLeaksOverAConnection(t *testing.T) {
	t.Parallel()
	o := story(5)
	o.Survive, o.Waits, o.Attempts = true, 210*ms, nil
	for i := range 5 {
		o.Calls[i].Met, o.Calls[i].Outcome = true, verdict.Failed
	}
	leak := &o.Calls[12]
	leak.Met, leak.Outcome, leak.Took, leak.Starved = true, verdict.Failed, 301*ms, 250*ms
	if p := judged(t, declared(), o, "quiet-while-open"); p.Verdict != verdict.Fail || !strings.Contains(p.Detail, "1 calls sent packets") {
		t.Errorf("got %v %q, want fail", p.Verdict, p.Detail)
	}
	leak.Outcome = verdict.Rejected // late
	if p := judged(t, declared(), o, "quiet-while-open"); p.Verdict == verdict.Fail {
		t.Errorf("turned away: got %v %q, want no fail", p.Verdict, p.Detail)
	}
}

// Where calls go over connections that live on, those that were turned away late on a
// machine short of CPU are no herd.
func TestLateAnswersAreNoHerd(t *testing.T) {
	t.Parallel()
	probe := func(first int) *verdict.Observed {
		o := story(5)
		o.Survive, o.Waits, o.Attempts = true, 210*ms, nil
		for i := range 5 {
			o.Calls[i].Met = true
		}
		for i := range o.Calls {
			if c := &o.Calls[i]; o.Probe.Has(c.At) {
				c.Took, c.Starved = 300*ms, 0
				if first--; first < 0 {
					c.Starved = 200 * ms
				}
			}
		}
		return o
	}
	differ := func(o *verdict.Observed) *verdict.Observed { // the answers of failed calls and of an open breaker
		for i := range 5 {
			o.Calls[i].Outcome = verdict.Failed
		}
		i := slices.IndexFunc(o.Calls, func(c verdict.Call) bool { return o.Probe.Has(c.At) })
		o.Calls[i].Outcome = verdict.Failed
		return o
	}
	for name, c := range map[string]struct {
		o    *verdict.Observed
		want verdict.Verdict
	}{
		"answers alike, short of CPU": {probe(1), verdict.Inconclusive},
		"answers alike, a herd":       {probe(11), verdict.Fail},
		"answers differ":              {differ(probe(1)), verdict.Pass},
	} {
		if p := judged(t, declared(), c.o, "half-open-limit"); p.Verdict != c.want {
			t.Errorf("%s: got %v %q %q, want %v", name, p.Verdict, p.Observed, p.Detail, c.want)
		}
	}
}
