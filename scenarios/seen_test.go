package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// outageOf is what was seen of a breaker that opens at the third failure for a second:
// the fault holds from 1s to 4s, a call comes every 100 ms, and those at the times that
// are given reach the dependency while it should be open.
func outageOf(reached ...time.Duration) (*experiment, *verdict.Observed) {
	const each = 100 * time.Millisecond
	s := &Spec{Breaker: declared{Failures: 3, OpenFor: openTime{First: time.Second}, CallTimeout: 200 * time.Millisecond, HalfOpenCalls: 1}}
	o := &verdict.Observed{Armed: verdict.Span{Start: time.Second, End: 4 * time.Second}, Ended: 6 * time.Second}
	for at := each / 2; at < o.Ended; at += each {
		c := verdict.Call{At: at, Took: time.Millisecond, Outcome: verdict.Rejected}
		down := o.Armed.Has(at)
		hit := down && at < o.Armed.Start+3*each
		for _, r := range reached {
			hit = hit || r == at
		}
		switch {
		case hit && down:
			c.Outcome, c.Took = verdict.Failed, 90*time.Millisecond
		case !down && (at < o.Armed.Start || at > 4600*time.Millisecond):
			c.Outcome, hit = verdict.Success, true
		}
		if hit {
			o.Attempts = append(o.Attempts, at+time.Millisecond/2)
		}
		o.Calls = append(o.Calls, c)
	}
	return &experiment{spec: s}, o
}

func says(states []transition) string {
	var out []string
	for _, s := range states {
		out = append(out, fmt.Sprintf("%s %v", s.to, s.at))
	}
	return strings.Join(out, ", ")
}

// What reaches the dependency before the open time is over leaves the breaker open: it
// is no probe. Half open begins with the call that is the probe, so that its phase has it.
func TestTransitions(t *testing.T) {
	t.Parallel()
	const end = ", half-open 4.65s, closed 4.651s"
	for name, c := range map[string]struct {
		reached []time.Duration
		want    string
	}{
		"no probe":       {nil, "open 1.34s" + end},
		"a probe":        {[]time.Duration{2350 * time.Millisecond}, "open 1.34s, half-open 2.35s, open 2.5505s" + end},
		"leaks":          {[]time.Duration{1750 * time.Millisecond, 2050 * time.Millisecond}, "open 1.34s" + end},
		"probe and leak": {[]time.Duration{2350 * time.Millisecond, 2950 * time.Millisecond}, "open 1.34s, half-open 2.35s, open 2.5505s" + end},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, o := outageOf(c.reached...)
			if got := says(x.transitions(o)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Phases say in which state the breaker was seen, and follow one another without a gap.
func TestSeenPhases(t *testing.T) {
	t.Parallel()
	at := func(name string, from, to int) phase {
		return phase{name, verdict.Span{Start: time.Duration(from) * time.Second, End: time.Duration(to) * time.Second}}
	}
	planned := []phase{at("idle", 0, 2), at("baseline", 2, 4), at("closed", 4, 6), at("closed", 6, 9), at("open", 9, 12), at("half-open", 12, 20), at("recovered", 20, 24)}
	for name, c := range map[string]struct {
		states []transition
		want   string
	}{
		"never open":    {nil, "idle 0-2 baseline 2-4 closed 4-6 closed 6-20 recovered 20-24"},
		"open and well": {[]transition{{8 * time.Second, "closed", "open"}, {13 * time.Second, "open", "half-open"}, {14 * time.Second, "half-open", "open"}, {19 * time.Second, "open", "half-open"}, {20 * time.Second, "half-open", "closed"}}, "idle 0-2 baseline 2-4 closed 4-6 closed 6-8 open 8-13 half-open 13-14 open 14-19 half-open 19-20 recovered 20-24"},
		"open again":    {[]transition{{8 * time.Second, "closed", "open"}, {20 * time.Second, "open", "half-open"}, {20 * time.Second, "half-open", "closed"}, {22 * time.Second, "closed", "open"}}, "idle 0-2 baseline 2-4 closed 4-6 closed 6-8 open 8-20 recovered 20-22 open 22-24"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range seenPhases(planned, c.states) {
				got = append(got, fmt.Sprintf("%s %.0f-%.0f", p.name, p.Start.Seconds(), p.End.Seconds()))
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("got  %s\nwant %s", g, c.want)
			}
		})
	}
}

// What was measured is what was seen, as exactly as it was, whatever is declared.
func TestMeasured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reached []time.Duration
		want    string
	}{
		"a probe": {[]time.Duration{2350 * time.Millisecond}, "910ms to 1.02s"},
		"a leak":  {[]time.Duration{1750 * time.Millisecond, 2350 * time.Millisecond}, "310ms to 421ms"},
		"none":    {nil, "about 3.27s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, o := outageOf(c.reached...)
			if got := measuredOpen(x.declares(), o, x.transitions(o)); got != c.want {
				t.Errorf("stays open for: got %q, want %q", got, c.want)
			}
		})
	}
}

// Whoever reads of a failed property reads what to do about it.
func TestEveryFailureHasAFix(t *testing.T) {
	t.Parallel()
	for _, id := range verdict.IDs() {
		for v, want := range map[verdict.Verdict]bool{verdict.Fail: true, verdict.Pass: false, verdict.Inconclusive: false} {
			l := propertyLines([]verdict.Property{{ID: id, Verdict: v}}, true)[0]
			if strings.HasSuffix(l.Fix, ".") != want || !want && l.Fix != "" {
				t.Errorf("%s, %s: got %q, want a sentence: %v", id, v, l.Fix, want)
			}
		}
	}
	ps := []verdict.Property{{ID: "trips-at-threshold", Verdict: verdict.Fail}, {ID: "fails-fast", Verdict: verdict.Fail}}
	const first = "It never opened: mend trips-at-threshold first."
	if lines := propertyLines(ps, false); lines[0].Fix == first || lines[1].Fix != first {
		t.Errorf("never open: got %q and %q, want the cause first", lines[0].Fix, lines[1].Fix)
	}
	if lines := propertyLines(ps[1:], false); lines[0].Fix == first {
		t.Error("it could not be told whether it opened, and that is said to be the cause")
	}
}

func TestSingular(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1 attempts in 1 calls, at most 1 in one":                  "1 attempt in 1 call, at most 1 in one",
		"opened after 1 failed calls in a row":                     "opened after 1 failed call in a row",
		"11 calls; 21 attempts":                                    "11 calls; 21 attempts",
		"9 properties hold, none failed; 1 do not apply":           "9 properties hold, none failed; 1 does not apply",
		"buy-a-mug well in 3 of 3 runs, storefront in 1 of 1 runs": "buy-a-mug well in 3 of 3 runs, storefront in 1 of 1 runs",
	} {
		if got := singular(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
