package lab

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/proof"
)

// A town is a service in a process of its own, and its dependency, which answers as it
// is told and counts who came.
type town struct {
	t       *testing.T
	url     string
	down    atomic.Bool
	reached atomic.Int64
}

func newTown(t *testing.T, language string, s Service) *town {
	t.Helper()
	w := &town{t: t}
	dependency := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.reached.Add(1)
		if w.down.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		paid(rw, r)
	}))
	dependency.Config.Protocols = new(http.Protocols)
	dependency.Config.Protocols.SetHTTP1(true)
	dependency.Config.Protocols.SetUnencryptedHTTP2(true)
	dependency.Start()
	t.Cleanup(dependency.Close)
	tools, err := filepath.Abs("../../.tools/lab")
	if err != nil {
		t.Fatal(err)
	}
	b := &Bench{Self: []string{self(t), "--part"}, Tools: tools, Dir: t.TempDir()}
	s.Dependencies = []string{strings.TrimPrefix(dependency.URL, "http://")}
	line, env, err := b.command(language, s.complete())
	if err != nil {
		proof.Lacks(t, err.Error())
	}
	st := &site{}
	t.Cleanup(st.stop)
	if w.url, err = st.run(t.Context(), line, env); err != nil && strings.Contains(err.Error(), "is missing") {
		proof.Lacks(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	return w
}

// self is this program.
func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// call returns the status of one call, and whether it reached the dependency.
func (w *town) call() (status int, reached bool) {
	w.t.Helper()
	before := w.reached.Load()
	resp, err := http.Post(w.url+"/checkout", "application/json", strings.NewReader("{}")) //nolint:forbidigo // a test's own client will do
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, w.reached.Load() > before
}

// trip makes calls until one is rejected, at most so many, and returns how many failed.
func (w *town) trip(most int) (failed int) {
	w.t.Helper()
	w.down.Store(true)
	for range most {
		switch status, reached := w.call(); {
		case status == http.StatusServiceUnavailable && !reached:
			return failed
		case status == http.StatusBadGateway && reached:
			failed++
		default:
			w.t.Fatalf("got status %d, reached %v", status, reached)
		}
	}
	return failed
}

// closes makes calls to a dependency that is well again until one succeeds.
func (w *town) closes(within time.Duration) bool {
	w.t.Helper()
	w.down.Store(false)
	for begin := time.Now(); time.Since(begin) < within; time.Sleep(20 * time.Millisecond) {
		if status, reached := w.call(); status == http.StatusOK && reached {
			return true
		}
	}
	return false
}

// Right services in every language trip when they should, are quiet, and recover.
func TestServices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		language string
		Service
	}{
		"foreshock":    {golang, Service{Breaker: "foreshock"}},
		"http2":        {golang, Service{Breaker: "gobreaker-v2", HTTP2: true}},
		"hystrix":      {golang, Service{Breaker: "hystrix", Rate: 0.5, MinCalls: 5}},
		"cockatiel":    {node, Service{Breaker: "cockatiel"}},
		"opossum":      {node, Service{Breaker: "opossum", Rate: 0.5, MinCalls: 5}},
		"node plain":   {node, Service{Breaker: "plain"}},
		"python plain": {python, Service{Breaker: "plain"}},
		"borrowed":     {python, Service{Breaker: "circuitbreaker"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.OpenMS, c.CallTimeoutMS = 1000, 1000
			w := newTown(t, c.language, c.Service)
			if c.Rate == 0 {
				if status, _ := w.call(); status != http.StatusOK {
					t.Fatalf("got status %d of a service that is well", status)
				}
			}
			if n := w.trip(12); n != 5 {
				t.Errorf("opened after %d failures, want 5", n)
			}
			for range 10 {
				if status, reached := w.call(); status != http.StatusServiceUnavailable || reached {
					t.Errorf("while open: got status %d, reached %v", status, reached)
				}
			}
			if !w.closes(10 * time.Second) {
				t.Error("it did not close")
			}
		})
	}
}

// Wrong services in other languages are wrong as they are named.
func TestWrongServices(t *testing.T) {
	t.Parallel()
	for _, language := range []string{node, python} {
		for flaw, c := range map[string]struct {
			openMS int
			wrong  func(*town) bool
		}{
			"never-opens":    {500, func(w *town) bool { return w.trip(20) == 20 }},
			"opens-late":     {500, func(w *town) bool { return w.trip(20) == 6 }},
			"never-closes":   {100, func(w *town) bool { w.trip(20); return !w.closes(500 * time.Millisecond) }},
			"leaks":          {5000, func(w *town) bool { w.trip(20); return w.leaks(20) == 2 }},
			"slow-rejection": {5000, func(w *town) bool { w.trip(20); return w.took() >= 200*time.Millisecond }},
			"loses-probe": {300, func(w *town) bool {
				w.trip(20)
				time.Sleep(350 * time.Millisecond) // so that the next call is the probe
				_, probed := w.call()
				return probed && !w.closes(500*time.Millisecond)
			}},
		} {
			t.Run(language+" "+flaw, func(t *testing.T) {
				t.Parallel()
				w := newTown(t, language, Service{Breaker: "plain", Flaw: flaw, OpenMS: c.openMS, CallTimeoutMS: 5000})
				if !c.wrong(w) {
					t.Error("it is not wrong in that way")
				}
			})
		}
	}
}

// took is how long one call takes.
func (w *town) took() time.Duration {
	begin := time.Now()
	w.call()
	return time.Since(begin)
}

// leaks is how many of n calls reach the dependency.
func (w *town) leaks(n int) (leaked int) {
	w.t.Helper()
	for range n {
		if _, reached := w.call(); reached {
			leaked++
		}
	}
	return leaked
}

// A part ends with the one that started it.
func TestPartEndsWithItsInput(t *testing.T) {
	t.Parallel()
	p, err := start(context.WithoutCancel(t.Context()), []string{self(t), "--part", "hog", "0.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.in.Close()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second): //nolint:forbidigo // the test's own patience
		_ = p.cmd.Process.Kill()
		t.Errorf("it goes on: %v", <-ended)
	}
	if out, err := exec.CommandContext(t.Context(), self(t), "--part", "no-such", "{}").CombinedOutput(); err == nil || !strings.Contains(string(out), `got role "no-such"`) {
		t.Errorf("got %v and %q, want word of the role", err, out)
	}
}
