package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/results"
)

// What looks wrong and may be right is inconclusive: a right breaker is never blamed.
func TestNeverCryWolf(t *testing.T) {
	t.Parallel()
	trip := armed + 5*320*ms - 20*ms
	for name, c := range map[string]struct {
		bend func(*verdict.Declared, *verdict.Observed)
		id   string
		says string
	}{
		"no fault was armed":  {func(_ *verdict.Declared, o *verdict.Observed) { o.Armed = verdict.Span{} }, "trips-at-threshold", "No fault was armed."},
		"the fault flickered": {func(_ *verdict.Declared, o *verdict.Observed) { *o = *story(4); o.Unsteady = "It flickered" }, "trips-at-threshold", "It flickered."},
		"a failed call tried nothing, between": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = slices.Delete(o.Attempts, 2, 3)
		}, "trips-at-threshold", "Of 1 more calls"},
		"a failed call tried nothing, last, and an open breaker's answer is not declared": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Answer = false
			o.Attempts = slices.Delete(o.Attempts, 4, 5)
			o.Calls[4].Outcome = verdict.Failed
		}, "trips-at-threshold", "Of 1 more calls"},
		"it hung on connections that were open": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Repeats = true
			o.Attempts = slices.Delete(o.Attempts, 0, 2)
			o.Calls[0].Met, o.Calls[1].Met = true, true
		}, "trips-at-threshold", "open before"},
		"calls overlapped": {func(_ *verdict.Declared, o *verdict.Observed) {
			*o = *story(6)
			o.Calls[2].GaveUp = true
		}, "trips-at-threshold", "overlapped"},
		"the sixth may have been the probe": {func(_ *verdict.Declared, o *verdict.Observed) {
			*o = *story(6)
			for i := 5; i < len(o.Calls); i++ {
				o.Calls[i].At += 2 * time.Second
			}
			for i := 5; i < len(o.Attempts); i++ {
				o.Attempts[i] += 2 * time.Second
			}
			o.Armed.End += 2 * time.Second
			o.Ended += 2 * time.Second
		}, "trips-at-threshold", "half-open probes"},
		"a belated attempt": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Attempts = append(slices.Delete(o.Attempts, 3, 4), trip+180*ms)
			slices.Sort(o.Attempts)
			for i := range 6 {
				o.Calls[i].Starved = 2 * o.Calls[i].Took / 3
			}
		}, "quiet-while-open", "short of CPU"},
		"declared background, in a call": {func(d *verdict.Declared, o *verdict.Observed) {
			d.Background = 1
			for at := trip + 520*ms; at < trip+800*ms; at += 50 * ms {
				o.Attempts = append(o.Attempts, at)
			}
			slices.Sort(o.Attempts)
		}, "quiet-while-open", "background"},
		"calls that succeed meanwhile": {func(_ *verdict.Declared, o *verdict.Observed) {
			*o = *story(15)
			for i := 0; i < 15; i += 3 {
				o.Calls[i].Outcome = verdict.Success
			}
			o.Calls = o.Calls[:15]
			o.Armed.End, o.Ended = 0, armed+15*320*ms
		}, "trips-at-threshold", "reachable in another way"},
		"a check that timed out for want of CPU": {func(_ *verdict.Declared, o *verdict.Observed) {
			o.Checks[0] = verdict.CheckRun{Name: "front", At: armed + ms, Took: time.Second, Status: results.Critical, Message: "late", Starved: 700 * ms}
		}, "isolated", "short of CPU"},
		"recovery for want of CPU": {func(_ *verdict.Declared, o *verdict.Observed) {
			for i := range o.Calls {
				o.Calls[i].Outcome, o.Calls[i].Starved = verdict.Rejected, 500*ms
			}
			o.Ended = o.Armed.End + 8*time.Second
		}, "closes-on-success", "too busy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := declared(), story(5)
			c.bend(&d, o)
			p := judged(t, d, o, c.id)
			if p.Verdict != verdict.Inconclusive || !strings.Contains(p.Detail+p.Observed, c.says) {
				t.Errorf("got %v %q %q, want inconclusive and %q", p.Verdict, p.Observed, p.Detail, c.says)
			}
		})
	}
}

// The probe of a half-open breaker is neither a slow answer nor a wrong one, and
// attempts between calls are the declared background.
func TestWhatIsNoFault(t *testing.T) {
	t.Parallel()
	trip := armed + 5*320*ms - 20*ms
	for name, bend := range map[string]func(*verdict.Declared, *verdict.Observed){
		"a probe that began in time": func(_ *verdict.Declared, o *verdict.Observed) {
			late := trip + 1890*ms
			i := slices.IndexFunc(o.Calls, func(c verdict.Call) bool { return c.At > late })
			o.Calls[i-1].Took, o.Calls[i-1].Outcome = 60*ms, verdict.Failed
			o.Attempts = append(o.Attempts, trip+1910*ms)
			slices.Sort(o.Attempts)
		},
		"background between calls": func(d *verdict.Declared, o *verdict.Observed) {
			d.Background = 1
			o.Attempts = append(o.Attempts, trip+550*ms)
			slices.Sort(o.Attempts)
		},
		"retries within the breaker": func(d *verdict.Declared, o *verdict.Observed) {
			d.Failures, d.Retries = 10, 1
			for _, a := range o.Attempts[:5] {
				o.Attempts = append(o.Attempts, a+100*ms)
			}
			slices.Sort(o.Attempts)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := declared(), story(5)
			bend(&d, o)
			for _, p := range verdict.Judge(d, o) {
				if p.Verdict != verdict.Pass && !notDeclared(p) {
					t.Errorf("%s: got %v %q %q, want pass", p.ID, p.Verdict, p.Observed, p.Detail)
				}
			}
		})
	}
}

// What is not declared is measured and proposed, never judged.
func TestProposal(t *testing.T) {
	t.Parallel()
	o := story(5)
	want := "It opens after 5 failures in a row, stays open for 2s, admits 1; declare breaker: {failures: 5, open_for: 2s, half_open_calls: 1}."
	if p := judged(t, verdict.Declared{FailsFastIn: 50 * ms}, o, "trips-at-threshold"); p.Verdict != verdict.Inconclusive || p.Detail != want {
		t.Errorf("got %v %q, want inconclusive and %q", p.Verdict, p.Detail, want)
	}
	want = "The open time is not declared. It was about 2s: declare breaker.open_for."
	for _, id := range []string{"quiet-while-open", "fails-fast"} {
		if p := judged(t, verdict.Declared{Failures: 5, FailsFastIn: 50 * ms}, o, id); p.Verdict != verdict.Inconclusive || p.Detail != want {
			t.Errorf("%s: got %v %q, want inconclusive and %q", id, p.Verdict, p.Detail, want)
		}
	}
}
