package journeys

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func (p *Pool) now() *browser {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

func TestRecycle(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{Recycle: Recycle{Runs: 2}, Max: 2})
	good := one(t, serve(t), "/", "see: Mugs")
	hold := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	slow := write(t, s.URL, "steps: [{step: only, timeout: 1m, do: [open: \"${base}\"]}]")
	long := make(chan results.Result)
	go func() { long <- walk(t, p, slow, 60*time.Second) }()
	within(t, func() bool { return p.now() != nil })
	first := p.now()
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
	within(t, func() bool { return p.now() != first })
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
	if first.ctx.Err() != nil {
		t.Error("the old browser ended while a run was under way in it")
	}
	close(hold)
	wantResult(t, <-long, results.OK, "")
	within(t, func() bool { return first.ctx.Err() != nil })
}

// A browser that grew too large goes, and one that did not stays.
func TestRecycleByMemory(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{Recycle: Recycle{Memory: 1 << 20}})
	good := one(t, serve(t), "/", "see: Mugs")
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
	first := p.now()
	if p.inspect(first, 1<<20-1); p.now() != first {
		t.Error("the browser was replaced below its limit")
	}
	p.inspect(first, groupMemory(first.pid))
	within(t, func() bool { return p.now() != first && first.ctx.Err() != nil })
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
}
