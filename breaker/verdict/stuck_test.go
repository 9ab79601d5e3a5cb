package verdict_test

import (
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// A breaker that lets nobody through for long after its open time is stuck. But one that
// tries the dependency by itself, beside its callers, may have been opened anew by that
// between two looks: where background is declared, that is not held against it.
func TestOpenForLonger(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		noisy, byItself bool
		want            verdict.Verdict
	}{
		"nobody else calls":                    {false, false, verdict.Fail},
		"background beside a caller's probe":   {true, false, verdict.Fail},
		"background, and no caller is let in":  {true, true, verdict.Pass},
		"an attempt where none is declared so": {false, true, verdict.Fail},
	} {
		o := story(5)
		d := declared()
		o.Noisy = tt.noisy
		o.Due = o.Probe.Start
		o.Vain = verdict.Span{Start: o.Probe.End + 1800*ms, End: o.Probe.End + 1800*ms + 2*time.Second}

		for i := range o.Calls {
			c := &o.Calls[i]
			if tt.byItself && o.Probe.Has(c.At) {
				c.Took = ms
			}
			if c.At >= o.Armed.End {
				c.At += 3 * time.Second
			}
		}
		o.Attempts[len(o.Attempts)-1] += 3 * time.Second
		o.Armed.End += 3 * time.Second
		o.Ended += 3 * time.Second
		if p := judged(t, d, o, "not-stuck"); p.Verdict != tt.want {
			t.Errorf("%s: got %s: %s, want %s", name, p.Verdict, p.Detail, tt.want)
		}
	}
}
