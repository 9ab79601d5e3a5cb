package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/results"
)

const (
	ms    = time.Millisecond
	armed = 3 * time.Second
)

func declared() verdict.Declared {
	return verdict.Declared{
		Failures: 5, OpenFor: 2 * time.Second, HalfOpenCalls: 1, HalfOpenSuccesses: 1, CallTimeout: 300 * ms,
		FailsFastIn: 50 * ms, RecoversIn: 5 * time.Second, Answer: true,
		Isolated: []string{"front"}, WhileOpen: []string{"journey"},
	}
}

// story is what was seen of a breaker that opens after n failures and is right in
// everything; tests then bend it.
func story(n int) *verdict.Observed {
	o := &verdict.Observed{Idle: verdict.Span{End: 2 * time.Second}, Armed: verdict.Span{Start: armed}}
	at := armed
	for range n { // closed: every call costs the call timeout
		o.Attempts = append(o.Attempts, at+ms)
		o.Calls = append(o.Calls, verdict.Call{At: at, Took: 300 * ms, Outcome: verdict.Rejected})
		at += 320 * ms
	}
	tripped := at - 20*ms
	for ; at < tripped+2*time.Second; at += 50 * ms { // open
		o.Calls = append(o.Calls, verdict.Call{At: at, Took: ms, Outcome: verdict.Rejected})
	}
	o.Checks = append(o.Checks,
		verdict.CheckRun{Name: "front", At: armed + ms, Took: ms},
		verdict.CheckRun{Name: "journey", At: tripped + 100*ms, Took: 500 * ms},
	)
	o.Attempts = append(o.Attempts, at+31*ms)
	for i := range 11 { // half open: one is let through, and fails
		took := ms
		if i == 0 {
			took = 300 * ms
		}
		o.Calls = append(o.Calls, verdict.Call{At: at + 30*ms, Took: took, Outcome: verdict.Rejected, Apart: true})
	}
	o.Probe = verdict.Span{Start: at + 30*ms, End: at + 340*ms}
	again := at + 2350*ms
	for at += 350 * ms; at < again; at += 50 * ms { // open again
		o.Calls = append(o.Calls, verdict.Call{At: at, Took: ms, Outcome: verdict.Rejected})
	}
	o.Armed.End = at
	o.Attempts = append(o.Attempts, at+ms)
	for range 10 { // half open, and closed by the first success
		o.Calls = append(o.Calls, verdict.Call{At: at, Took: 2 * ms, Outcome: verdict.Success})
		at += 50 * ms
	}
	o.Ended = at
	return o
}

func judged(t *testing.T, d verdict.Declared, o *verdict.Observed, id string) verdict.Property {
	t.Helper()
	for _, p := range verdict.Judge(d, o) {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no property %s", id)
	return verdict.Property{}
}

// notDeclared says that the property was skipped, since most breakers do not declare it.
func notDeclared(p verdict.Property) bool {
	return p.Verdict == verdict.Skipped && slices.Contains([]string{"sliding-window", "slow-calls-count", "self-report-agrees"}, p.ID)
}

func TestARightBreakerPasses(t *testing.T) {
	t.Parallel()
	ps := verdict.Judge(declared(), story(5))
	for _, p := range ps {
		if notDeclared(p) {
			continue
		}
		if p.Verdict != verdict.Pass || p.Observed == "" || p.Expected == "" || p.Detail == "" {
			t.Errorf("%s: got %v (expected %q, observed %q, detail %q), want pass with its figure", p.ID, p.Verdict, p.Expected, p.Observed, p.Detail)
		}
	}
	if v, reason := verdict.Roll(ps, "", "", nil); v != verdict.Pass {
		t.Errorf("got %v (%s), want pass", v, reason)
	}
}

// Each wrong breaker fails in the property that it breaks.
func TestWrongBreakers(t *testing.T) {
	t.Parallel()
	trip := armed + 5*320*ms - 20*ms
	for name, c := range map[string]struct {
		bend func(*verdict.Declared, *verdict.Observed)
		id   string
		want verdict.Verdict
		says string
	}{
		"trips early": {func(_ *verdict.Declared, o *verdict.Observed) { *o = *story(4) }, "trips-at-threshold", verdict.Fail, "too early"},
		"trips late":  {func(_ *verdict.Declared, o *verdict.Observed) { *o = *story(6) }, "trips-at-threshold", verdict.Fail, "too late"},
		"never trips": {func(_ *verdict.Declared, o *verdict.Observed) { *o = *story(15); o.Ended = o.Armed.End; cut(o) }, "trips-at-threshold", verdict.Fail, "never opened"},
		"leaks while open": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = append(o.Attempts, trip+time.Second)
			slices.Sort(o.Attempts)
		}, "quiet-while-open", verdict.Fail, "1s after the breaker opened"},
		"slow while open": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Calls[8].Took = 200 * ms
		}, "fails-fast", verdict.Fail, "200ms"},
		"never closes": {func(_ *verdict.Declared, o *verdict.Observed) {
			for i := range o.Calls {
				o.Calls[i].Outcome = verdict.Rejected
			}
			o.Ended = o.Armed.End + 8*time.Second
		}, "closes-on-success", verdict.Fail, "stuck"},
		"closes late": {func(d *verdict.Declared, _ *verdict.Observed) {
			d.OpenFor, d.CallTimeout, d.RecoversIn = ms, 0, 0
		}, "closes-on-success", verdict.Fail, "later than declared"},
		"wrong answer": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Calls[9].Outcome, o.Calls[9].Error = verdict.Failed, "status: got 500"
		}, "answer-while-open", verdict.Fail, "got 500"},
		"journey breaks": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Checks[1].Status, o.Checks[1].Message = results.Critical, "no button"
		}, "answer-while-open", verdict.Fail, "no button"},
		"one early, below": {func(_ *verdict.Declared, o *verdict.Observed) {
			below(o, 4)
			o.Calls[3].Took, o.Calls[3].Outcome = ms, verdict.Rejected
			o.Attempts = slices.Delete(o.Attempts, 3, 4)
		}, "not-before-threshold", verdict.Fail, "opened after 3 failed calls"},
		"open after fewer": {func(_ *verdict.Declared, o *verdict.Observed) {
			below(o, 4)
			o.Calls[4].Outcome = verdict.Rejected
		}, "not-before-threshold", verdict.Fail, "After 4 failed calls it was open"},
		"a herd in half open": {func(_ *verdict.Declared, o *verdict.Observed) {
			for i := range 10 {
				o.Attempts = append(o.Attempts, o.Probe.Start+time.Duration(i)*ms)
			}
			slices.Sort(o.Attempts)
		}, "half-open-limit", verdict.Fail, "11 of 11 calls reached the dependency; at most 1 may"},
		"half open for ever": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = append(o.Attempts, o.Probe.End+time.Second, o.Probe.End+1100*ms)
			slices.Sort(o.Attempts)
		}, "reopens-on-failed-probe", verdict.Fail, "must open it again"},
		"waits for its probe": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = o.Attempts[:len(o.Attempts)-1]
			for i := range o.Calls {
				o.Calls[i].Outcome = verdict.Rejected
			}
			o.Ended = o.Armed.End + 8*time.Second
		}, "not-stuck", verdict.Fail, "half open"},
		"a herd on recovery": {func(_ *verdict.Declared, o *verdict.Observed) {
			for i := range 40 {
				o.Attempts = append(o.Attempts, o.Armed.End+10*ms+time.Duration(i)*ms)
			}
		}, "no-herd-on-recovery", verdict.Fail, "something had been waiting"},
		"tries three times": {func(_ *verdict.Declared, o *verdict.Observed) {
			for _, a := range o.Attempts[:5] {
				o.Attempts = append(o.Attempts, a+100*ms, a+200*ms)
			}
			slices.Sort(o.Attempts)
		}, "retry-discipline", verdict.Fail, "3 times"},
		"a window with edges": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Window = 10 * time.Second
			again(o, 10, 8)
		}, "sliding-window", verdict.Fail, "begin anew"},
		"a window that slides": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Window = 10 * time.Second
			again(o, 10, 5)
		}, "sliding-window", verdict.Pass, ""},
		"blind to slow calls": {func(d *verdict.Declared, o *verdict.Observed) {
			d.SlowCall, d.SlowCalls = 200*ms, 5
			slowly(o, 12, 0)
		}, "slow-calls-count", verdict.Fail, "does not see slow calls"},
		"sees slow calls": {func(d *verdict.Declared, o *verdict.Observed) {
			d.SlowCall, d.SlowCalls = 200*ms, 5
			slowly(o, 5, 4)
		}, "slow-calls-count", verdict.Pass, ""},
		"a gauge that lies": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Reported = true
			reports(o, func(string) string { return "closed" })
		}, "self-report-agrees", verdict.Fail, "It said closed for 1."},
		"a gauge that is right": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Reported = true
			reports(o, func(is string) string { return is })
		}, "self-report-agrees", verdict.Pass, ""},
		"a gauge that cannot be read": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Reported = true
			o.Reports = []verdict.Report{{At: armed, Error: "connection refused"}}
		}, "self-report-agrees", verdict.Inconclusive, "connection refused"},
		"others suffer": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Checks[0].Status = results.Critical
		}, "isolated", verdict.Fail, "front"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := declared(), story(5)
			c.bend(&d, o)
			p := judged(t, d, o, c.id)
			if p.Verdict != c.want || !strings.Contains(p.Detail+p.Observed, c.says) {
				t.Errorf("got %v %q %q, want %v and %q", p.Verdict, p.Observed, p.Detail, c.want, c.says)
			}
			if v, _ := verdict.Roll(verdict.Judge(d, o), "", "", nil); v != c.want {
				t.Errorf("scenario: got %v, want %v", v, c.want)
			}
		})
	}
}

// cut leaves what was seen up to the healing: a breaker that is off goes on calling.
func cut(o *verdict.Observed) {
	o.Calls = slices.DeleteFunc(o.Calls, func(c verdict.Call) bool { return c.Took < 300*ms })
	o.Armed.End = 0
}

// What could not be told is never a fail and never a pass.
func TestCouldNotTell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bend func(*verdict.Declared, *verdict.Observed)
		id   string
	}{
		"background": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = append([]time.Duration{ms}, o.Attempts...)
		}, "trips-at-threshold"},
		"background, too": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = append([]time.Duration{ms}, o.Attempts...)
		}, "quiet-while-open"},
		"lost attempts": {func(_ *verdict.Declared, o *verdict.Observed) { o.Doubt = "lost" }, "quiet-while-open"},
		"few calls":     {func(_ *verdict.Declared, o *verdict.Observed) { o.Calls = o.Calls[:8] }, "quiet-while-open"},
		"blind journey": {func(_ *verdict.Declared, o *verdict.Observed) { o.Checks[1].Status = results.Unknown }, "answer-while-open"},
		"no journey":    {func(_ *verdict.Declared, o *verdict.Observed) { o.Checks = o.Checks[:1] }, "answer-while-open"},
		"not declared":  {func(d *verdict.Declared, _ *verdict.Observed) { d.Failures = 0 }, "trips-at-threshold"},
		"ended early":   {func(_ *verdict.Declared, o *verdict.Observed) { o.Armed.End = 0 }, "closes-on-success"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := declared(), story(5)
			c.bend(&d, o)
			if p := judged(t, d, o, c.id); p.Verdict != verdict.Inconclusive || p.Detail == "" {
				t.Errorf("got %v %q, want inconclusive with a reason", p.Verdict, p.Detail)
			}
		})
	}
}

// A machine that is short of CPU answers late without any fault of the breaker. Few
// such answers are left out; where they are most, nothing can be told.
func TestStarvedMachineIsNotBlamed(t *testing.T) {
	t.Parallel()
	late := func(o *verdict.Observed, from, to int, starved time.Duration) {
		for i := from; i < to; i++ {
			o.Jolt = 20 * ms
			o.Calls[i].Took, o.Calls[i].Starved = 45*ms+20*ms, starved
		}
	}
	few := story(5)
	late(few, 8, 10, 60*ms)
	if p := judged(t, declared(), few, "fails-fast"); p.Verdict != verdict.Pass || !strings.Contains(p.Observed, "2 more not judged") {
		t.Errorf("few: got %v %q, want pass that tells of 2", p.Verdict, p.Observed)
	}
	most := story(5)
	late(most, 7, 40, 60*ms)
	if p := judged(t, declared(), most, "fails-fast"); p.Verdict != verdict.Inconclusive {
		t.Errorf("most: got %v %q, want inconclusive", p.Verdict, p.Observed)
	}
	idle := story(5)
	late(idle, 8, 10, ms)
	if p := judged(t, declared(), idle, "fails-fast"); p.Verdict != verdict.Fail {
		t.Errorf("late with CPU to spare: got %v, want fail", p.Verdict)
	}
}

// A call on a pooled connection dies without an attempt of its own, and counts.
func TestPooledConnectionCounts(t *testing.T) {
	t.Parallel()
	o := story(5)
	o.Attempts = slices.Delete(o.Attempts, 0, 1)
	o.Calls[0].Met = true
	if p := judged(t, declared(), o, "trips-at-threshold"); p.Verdict != verdict.Pass {
		t.Errorf("got %v %q, want pass", p.Verdict, p.Detail)
	}
}

func TestRoll(t *testing.T) {
	t.Parallel()
	p := func(vs ...verdict.Verdict) (ps []verdict.Property) {
		for i, v := range vs {
			ps = append(ps, verdict.Property{ID: string(rune('a' + i)), Verdict: v})
		}
		return ps
	}
	for name, c := range map[string]struct {
		ps               []verdict.Property
		invalid, aborted string
		require          []string
		want             verdict.Verdict
	}{
		"no packet beats all":         {p(verdict.Fail, verdict.Pass), "no packet", "stopped", nil, verdict.Invalid},
		"failed, then aborted":        {p(verdict.Fail, verdict.Pass), "", "stopped", nil, verdict.Fail},
		"aborted":                     {p(verdict.Pass, verdict.Inconclusive), "", "stopped", nil, verdict.Aborted},
		"one could not be told":       {p(verdict.Pass, verdict.Inconclusive), "", "", nil, verdict.Inconclusive},
		"that one is not required":    {p(verdict.Pass, verdict.Inconclusive), "", "", []string{"a"}, verdict.Pass},
		"a required one was skipped":  {p(verdict.Pass, verdict.Skipped), "", "", []string{"b"}, verdict.Inconclusive},
		"all skipped":                 {p(verdict.Skipped, verdict.Skipped), "", "", nil, verdict.Inconclusive},
		"nothing judged":              {nil, "", "", nil, verdict.Inconclusive},
		"skipped ones do not hold up": {p(verdict.Pass, verdict.Skipped), "", "", nil, verdict.Pass},
	} {
		if got, reason := verdict.Roll(c.ps, c.invalid, c.aborted, c.require); got != c.want || reason == "" {
			t.Errorf("%s: got %v (%q), want %v with a reason", name, got, reason, c.want)
		}
	}
}

func TestVoidTakesBackPasses(t *testing.T) {
	t.Parallel()
	for _, p := range verdict.Void(verdict.Judge(declared(), story(5)), "no packet") {
		if p.Verdict == verdict.Pass || p.Verdict == verdict.Fail {
			t.Errorf("%s: got %v without evidence", p.ID, p.Verdict)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, v := range verdict.Verdicts() {
		b, err := v.MarshalText()
		var back verdict.Verdict
		if err != nil || back.UnmarshalText(b) != nil || back != v {
			t.Errorf("%v does not survive being written", v)
		}
	}
	var v verdict.Verdict
	if v.UnmarshalText([]byte("maybe")) == nil {
		t.Error("maybe was taken for a verdict")
	}
}

// below puts n failed calls and one that succeeds before the outage.
func below(o *verdict.Observed, n int) {
	var calls []verdict.Call
	var attempts []time.Duration
	at := o.Idle.End
	o.Tried.Start = at
	for range n {
		calls = append(calls, verdict.Call{At: at, Took: 100 * ms, Outcome: verdict.Failed})
		attempts = append(attempts, at+ms)
		at += 110 * ms
	}
	o.Tried.End = at
	calls = append(calls, verdict.Call{At: at + ms, Took: ms, Outcome: verdict.Success})
	o.Calls, o.Attempts = append(calls, o.Calls...), append(attempts, o.Attempts...)
}

// again puts a second outage behind all else: n calls over 7.5 s, of which the first
// few reach the dependency.
func again(o *verdict.Observed, n, few int) {
	at := o.Ended + time.Second
	s := verdict.Span{Start: at}
	for i := range n {
		c := verdict.Call{At: at, Took: ms, Outcome: verdict.Rejected}
		if i < few {
			c.Took = 300 * ms
			o.Attempts = append(o.Attempts, at+ms)
		}
		o.Calls = append(o.Calls, c)
		at += 800 * ms
	}
	s.End, o.Later = at, s.Start
	o.Spread, o.Ended = append(o.Spread, s), at
}

// slowly puts n slow calls and then some rejected ones behind all else.
func slowly(o *verdict.Observed, n, rejected int) {
	at := o.Ended + time.Second
	o.Slowed.Start, o.Later = at, at
	for i := range n + rejected {
		c := verdict.Call{At: at, Took: 250 * ms, Outcome: verdict.Success, Slow: true}
		if i >= n {
			c = verdict.Call{At: at, Took: ms, Outcome: verdict.Rejected}
		}
		o.Calls = append(o.Calls, c)
		at += 300 * ms
	}
	o.Slowed.End, o.Ended = at, at
}

// reports lets the breaker say of itself what it is, or something else.
func reports(o *verdict.Observed, say func(is string) string) {
	trip := armed + 5*320*ms - 20*ms
	for at := o.Idle.End; at < o.Ended; at += 200 * ms {
		is := "closed"
		if at >= trip && at < o.Armed.End+50*ms {
			is = "open"
		}
		o.Reports = append(o.Reports, verdict.Report{At: at, State: say(is)})
	}
}
