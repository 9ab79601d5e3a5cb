package pause_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/pause"
)

// How long a target of some threads takes to stand and to be let go, and how long after
// its owner's SIGKILL it beats again.
func BenchmarkPause(b *testing.B) {
	for _, threads := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint("threads ", threads), func(b *testing.B) {
			tg := start(b, itoa(threads))
			eventually(b, "threads", func() bool {
				entries, _ := os.ReadDir("/proc/" + itoa(tg.pid) + "/task")
				return len(entries) > threads
			})
			p, err := pause.Open(b.Context(), pause.Selector{PID: tg.pid}, pause.Options{Run: "bench", Until: time.Now().Add(time.Hour), OwnChildren: true})
			must(b, err)
			defer p.Close(b.Context())
			var stop, resume []time.Duration
			for b.Loop() {
				from := time.Now()
				must(b, p.Arm(b.Context()))
				stop = append(stop, time.Since(from))
				from = time.Now()
				must(b, p.Disarm(b.Context()))
				resume = append(resume, time.Since(from))
				tg.after(b, from)
			}
			report(b, "stop", stop)
			report(b, "resume", resume)
		})
	}
}

func report(b *testing.B, what string, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "us-"+what+"-p50")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "us-"+what+"-max")
}
