package journeys

import (
	"testing"

	"github.com/foreshock/foreshock/results"
)

func TestLimitsOfTheJourney(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	const steps = "steps:\n- {step: slow, warning: 50s, do: [{open: \"${base}/slow\"}]}\n- {step: again, do: [{open: \"${base}/slow\"}]}\n"
	for limit, want := range map[string]results.Status{
		"warning: 300ms\ncritical: 50s\n":   results.Warning,
		"warning: 300ms\ncritical: 400ms\n": results.Critical,
	} {
		r := walk(t, p, write(t, base, limit+steps), ample)
		wantResult(t, r, want, results.CauseSlow, "the journey: took ", ", want at most ")
		if s := stepNamed(t, r, "slow"); s.Status != results.OK {
			t.Errorf("got %v (%s) of a step, want it ok: the steps are too slow together only", s.Status, s.Error)
		}
	}
	r := walk(t, p, write(t, base, "timeout: 10s\nsteps: [{step: hang, do: [{open: \"${base}/hang\"}]}, {step: after, do: [{see: x}]}]\n"), ample)
	wantResult(t, r, results.Critical, results.CauseTimeout, "hang: open "+base+"/hang: no answer from "+base+"/hang after ")
	if s := stepNamed(t, r, "after"); s.Error != "not reached" {
		t.Errorf("got %+v of the step after, want it recorded as not reached", s)
	}
}
