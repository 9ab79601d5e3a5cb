package journeys

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// While more journeys ask for the processor than there are cores, what is as short as
// a probe is at its time.
func TestProbesStayOnTime(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{Max: 4 * slots()})
	base := serve(t)
	good := one(t, base, "/form.html", "wait_for: {label: Your name}", "type: {into: {label: Your name}, text: Ada Lovelace}", "screenshot: form")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for range 4 * slots() {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
				}
			}
		})
	}
	within(t, func() bool { return p.now() != nil })
	<-p.now().started
	const every = 20 * time.Millisecond
	var late []time.Duration
	probe := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	next := time.Now()
	for range 150 {
		next = next.Add(every)
		time.Sleep(time.Until(next))
		late = append(late, max(0, time.Since(next)))
		resp, err := probe.Get(base + "/204")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		next = time.Now() // what one took is not told of the next
	}
	slices.Sort(late)
	t.Logf("lateness beside %d journeys at once: p50 %v, p99 %v, worst %v", 4*slots(), late[len(late)/2], late[len(late)*99/100], late[len(late)-1])
	if p90 := late[len(late)*9/10]; p90 > lateLimit {
		t.Errorf("got probes %v late, want less than %v", p90, lateLimit)
	}
}
