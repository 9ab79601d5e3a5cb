package scenarios_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

var (
	rounds = flag.Int("rounds", 1, "how often a right breaker is judged on a machine short of CPU")
	burns  = flag.Bool("burn", true, "take the cores away; false if something else does")
)

// TestInsideLoad: all cores are taken at some moment after the fault began. On a machine short of CPU a right breaker may not be judged, but is
// never blamed.
func TestInsideLoad(t *testing.T) {
	enter(t)
	tally := map[verdict.Verdict]int{}
	for round := range *rounds {
		r := newRig(t, newGate(t, failures, openFor))
		r.looks["a"] = func(ctx context.Context) error { return sleep(ctx, 20*time.Millisecond) }
		r.change = func(s string) string {
			if round%2 == 1 {
				s += "checks: [{name: a, timeout: 1s, look: {like: a}}]\nisolated: [a]\nwhile_open: [a]\n"
			}
			return s
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if *burns && r.await(ctx, "fault armed") && sleep(ctx, time.Duration(rand.IntN(500))*time.Millisecond) == nil {
				burn(ctx)
			}
		})
		rep := r.run(t.Context(), t)
		stop()
		wg.Wait()
		tally[rep.Verdict]++
		t.Logf("round %d: %v: %s", round, rep.Verdict, rep.Reason)
		if rep.Verdict != verdict.Pass && rep.Verdict != verdict.Inconclusive {
			want(t, rep, verdict.Pass, 0, "")
		}
	}
	t.Logf("tally: %v", tally)
}

// burn takes every core, in slices as a compiler does, until ctx ends.
func burn(ctx context.Context) {
	var wg sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		wg.Go(func() {
			for ctx.Err() == nil {
				slice := time.Now().Add(time.Duration(rand.IntN(300)) * time.Millisecond)
				for x := 0; time.Now().Before(slice); x++ {
				}
				_ = sleep(ctx, time.Duration(rand.IntN(50))*time.Millisecond)
			}
		})
	}
	wg.Wait()
}
