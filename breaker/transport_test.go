package breaker_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

// A pipe is a network for one server and its clients in a bubble of synctest.
type pipe struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error { p.once.Do(func() { close(p.gone) }); return nil }

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// guarded returns a client whose Transport is t, the breaker of the server, and a
// function that makes a request and reads the answer to its end. Client and server are
// real; run it in a bubble, where time is exact.
func guarded(t *testing.T, tr *breaker.Transport, h http.HandlerFunc) (*http.Client, *breaker.Breaker, func() (int, error)) {
	t.Helper()
	network := &pipe{conns: make(chan net.Conn), gone: make(chan struct{})}
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go srv.Serve(network)
	base := &http.Transport{DialContext: network.dial}
	t.Cleanup(func() { base.CloseIdleConnections(); srv.Close() })
	tr.Base = base
	c := &http.Client{Transport: tr}
	return c, tr.Group.Get("server:80"), func() (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server:80/", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Do(req)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
}

// outcomes returns how many calls failed, succeeded and were abandoned.
func outcomes(b *breaker.Breaker) [3]uint64 {
	s := b.Snapshot()
	return [3]uint64{s.Failures, s.Successes, s.Abandoned}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var status, reached atomic.Int64
		tr := &breaker.Transport{Group: newGroup(t, breaker.Settings{Failures: 3}, 0)}
		_, b, get := guarded(t, tr, func(w http.ResponseWriter, _ *http.Request) {
			reached.Add(1)
			w.WriteHeader(int(status.Load()))
			_, _ = io.WriteString(w, "something")
		})
		for _, code := range []int64{503, 429, 404, 500, 502} {
			status.Store(code)
			if got, err := get(); err != nil || got != int(code) {
				t.Fatalf("got %d, %v; want the server's %d", got, err, code)
			}
		}
		wantState(t, b, breaker.Closed)
		if got := outcomes(b); got != [3]uint64{4, 1, 0} {
			t.Errorf("got %v, want 4 failures and, for the 404, a success", got)
		}
		if _, err := get(); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Open)
		_, err := get()
		open, ok := errors.AsType[*breaker.OpenError](err)
		if !ok || open.RetryAfter() <= 0 || reached.Load() != 6 {
			t.Errorf("got %v after %d requests, want open after 6", err, reached.Load())
		}
		if n := b.Snapshot().InFlight; n != 0 {
			t.Errorf("%d in flight, want 0", n)
		}
	})
}

func TestTransportSettings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &breaker.Transport{
			Group:  newGroup(t, breaker.Settings{Failures: 1, OpenFor: time.Second, OpenMax: time.Minute}, 0),
			Key:    func(r *http.Request) string { return r.URL.Path },
			Failed: func(r *http.Response) bool { return r.StatusCode == http.StatusTeapot },
		}
		c, b, get := guarded(t, tr, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "40")
			if r.URL.Path == "/pot" {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			w.WriteHeader(http.StatusInternalServerError)
		})
		if _, err := get(); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server:80/pot", nil)
		if res, err := c.Do(req); err != nil {
			t.Fatal(err)
		} else {
			res.Body.Close()
		}
		s := tr.Group.Get("/pot").Snapshot()
		if wait := s.Until.Sub(s.Since); s.State != breaker.Open || wait != 40*time.Second {
			t.Errorf("got %v for %v, want open for the 40s that the server asked for", s.State, wait)
		}

		_, err := (&breaker.Transport{}).RoundTrip(req) //nolint:bodyclose // there is none
		if err == nil || err.Error() != "breaker transport: group: got none, want the one that holds its breakers" {
			t.Errorf("got %v", err)
		}
	})
}

// The header comes at once, the body does not: what the caller waits for is slow.
func TestTransportSeesASlowBody(t *testing.T) {
	t.Parallel()
	for headerOnly, want := range map[bool]uint64{false: 1, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			tr := &breaker.Transport{
				Group:      newGroup(t, breaker.Settings{SlowCall: time.Second, MinCalls: 1, WindowCalls: 1}, 0),
				HeaderOnly: headerOnly,
			}
			_, b, get := guarded(t, tr, func(w http.ResponseWriter, _ *http.Request) {
				_ = http.NewResponseController(w).Flush()
				time.Sleep(2 * time.Second)
			})
			if _, err := get(); err != nil {
				t.Fatal(err)
			}
			if s := b.Snapshot(); s.Slow != want || s.Moves[0].Count != want {
				t.Errorf("header only %v: got %d slow, opened %d times; want %d", headerOnly, s.Slow, s.Moves[0].Count, want)
			}
		})
	}
}

// A slow header counts, also if its body comes at once.
func TestTransportSeesASlowHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &breaker.Transport{Group: newGroup(t, breaker.Settings{SlowCall: time.Second}, 0)}
		_, b, get := guarded(t, tr, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(2 * time.Second)
			_, _ = io.WriteString(w, "something")
		})
		if _, err := get(); err != nil {
			t.Fatal(err)
		}
		if s := b.Snapshot(); s.Slow != 1 {
			t.Errorf("got %d slow, want 1", s.Slow)
		}
	})
}

// The time that the reader takes for itself is not the dependency's.
func TestTransportDoesNotBlameASlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &breaker.Transport{Group: newGroup(t, breaker.Settings{SlowCall: 3 * time.Second}, 0)}
		c, b, _ := guarded(t, tr, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "something") })
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server:80/", nil)
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if s := b.Snapshot(); s.Slow != 0 || s.Successes != 1 {
			t.Errorf("got %d slow of %d successes, want none of 1", s.Slow, s.Successes)
		}
	})
}

func TestTransportWhoIsToBlame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeout time.Duration                                // of the client
		request func(*testing.T) (context.Context, func())   // and what is done once the header is there
		serve   func(w http.ResponseWriter, r *http.Request) // after the header
		want    [3]uint64
	}{
		"the server breaks off": {
			serve: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			want:  [3]uint64{1, 0, 0},
		},
		"the client's patience ends": {
			timeout: 50 * time.Millisecond,
			serve:   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			want:    [3]uint64{1, 0, 0},
		},
		"the caller goes away": {
			request: func(t *testing.T) (context.Context, func()) {
				t.Helper()
				ctx, cancel := context.WithCancel(t.Context())
				return ctx, cancel
			},
			serve: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			want:  [3]uint64{0, 0, 1},
		},
		"all is well": {serve: func(http.ResponseWriter, *http.Request) {}, want: [3]uint64{0, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := &breaker.Transport{Group: newGroup(t, breaker.Settings{}, 0)}
				client, b, _ := guarded(t, tr, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, "some")
					_ = http.NewResponseController(w).Flush()
					c.serve(w, r)
				})
				client.Timeout = c.timeout
				ctx, then := t.Context(), func() {}
				if c.request != nil {
					ctx, then = c.request(t)
				}
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://server:80/", nil)
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				then()
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if got := outcomes(b); got != c.want {
					t.Errorf("failures, successes, abandoned: got %v, want %v", got, c.want)
				}
			})
		})
	}
}

// A body that nobody reads or closes does not hold the breaker half open.
func TestTransportForgottenProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		tr := &breaker.Transport{Group: newGroup(t, breaker.Settings{Failures: 1, OpenFor: time.Second}, 0)}
		c, b, get := guarded(t, tr, func(w http.ResponseWriter, _ *http.Request) {
			if down.Load() {
				w.WriteHeader(500)
			}
			_, _ = io.WriteString(w, "something")
		})
		_, _ = get()
		wantState(t, b, breaker.Open)
		down.Store(false)
		time.Sleep(time.Second)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server:80/", nil)
		forgotten, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.HalfOpen)
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, b, breaker.Open)
		wantCause(t, b, "a probe did not come back within 1s")
		time.Sleep(time.Second)
		_, _ = get()
		wantState(t, b, breaker.Closed)
		forgotten.Body.Close()
	})
}

func TestTransportCallTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &breaker.Transport{Group: newGroup(t, breaker.Settings{CallTimeout: 50 * time.Millisecond}, 0)}
		_, b, get := guarded(t, tr, func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		if _, err := get(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline, also for the body", err)
		}
		if got := outcomes(b); got != [3]uint64{1, 0, 0} {
			t.Errorf("got %v, want one failure", got)
		}
	})
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err     error
		refused bool
		after   string
	}{
		{&url.Error{Err: &breaker.OpenError{State: breaker.Open, Until: time.Now().Add(3500 * time.Millisecond)}}, true, "4"},
		{&breaker.OpenError{State: breaker.HalfOpen}, true, "1"},
		{&breaker.FullError{}, true, "1"},
		{errDown, false, ""},
		{nil, false, ""},
	} {
		rec := httptest.NewRecorder()
		if got := breaker.Refuse(rec, c.err); got != c.refused || rec.Header().Get("Retry-After") != c.after || (rec.Code == 503) != c.refused {
			t.Errorf("%v: got %v, %d, Retry-After %q; want %v, Retry-After %q", c.err, got, rec.Code, rec.Header().Get("Retry-After"), c.refused, c.after)
		}
	}
}
