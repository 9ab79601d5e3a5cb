package verdict_test

import (
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// Callers who wait for another's half-open probe are told of, unless the machine may
// have made them wait: that scatters, and what they wait for does not.
func TestKeptByAProbe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		jolt, scatter time.Duration
		want          verdict.Verdict
	}{
		"quiet":                   {0, 20 * ms, verdict.Fail},
		"busy, and all alike":     {45 * ms, 0, verdict.Fail},
		"busy, and scattered":     {45 * ms, 20 * ms, verdict.Pass},
		"too busy, and all alike": {100 * ms, 0, verdict.Pass},
	} {
		o := story(5)
		o.Jolt = tt.jolt
		n := 0
		for i := range o.Calls {
			if c := &o.Calls[i]; o.Probe.Has(c.At) {
				c.Took = 300*ms - time.Duration(n)*tt.scatter
				n++
			}
		}
		if p := judged(t, declared(), o, "fails-fast"); p.Verdict != tt.want {
			t.Errorf("%s: got %s: %s, want %s", name, p.Verdict, p.Detail, tt.want)
		}
	}
}
