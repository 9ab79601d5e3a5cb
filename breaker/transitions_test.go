package breaker_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/breaker"
)

// The listener may do with the breaker what it likes: gobreaker's own deadlocks.
func TestTheListenerMayUseTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b *breaker.Breaker
		var got []breaker.State
		b = newBreaker(t, breaker.Settings{
			Failures: 1, OpenFor: time.Second,
			OnTransition: func(tr breaker.Transition) {
				got = append(got, tr.To)
				_ = b.Snapshot()
				_ = b.Do(context.Background(), func(context.Context) error { return nil })
			},
		})
		fail(t, b, 1)
		time.Sleep(time.Second + time.Nanosecond)
		// The first call finds it half open, tells the listener, and its call is refused.
		_ = b.Do(t.Context(), func(context.Context) error {
			if len(got) != 2 {
				t.Errorf("while the probe is under way: got %v told, want open and half-open", got)
			}
			return nil
		})
		want := []breaker.State{breaker.Open, breaker.HalfOpen, breaker.Closed}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("transitions told (-want +got):\n%s", diff)
		}
	})
}

func TestTransitionsAreToldInOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []breaker.Transition
	b := newBreaker(t, breaker.Settings{
		Failures: 1, OpenFor: time.Microsecond, ProbeTimeout: time.Hour,
		OnTransition: func(tr breaker.Transition) {
			if !mu.TryLock() {
				t.Error("told of two transitions at once")
				return
			}
			defer mu.Unlock()
			told = append(told, tr)
			runtime.Gosched() // let the others come
		},
	})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 500 {
				_ = b.Do(t.Context(), func(context.Context) error {
					if (i+n)%2 == 0 {
						return errDown
					}
					return nil
				})
			}
		})
	}
	wg.Wait()
	if len(told) < 10 {
		t.Fatalf("got %d transitions, want many", len(told))
	}
	for i, tr := range told {
		if tr.Seq != uint64(i+1) || i > 0 && tr.From != told[i-1].To {
			t.Fatalf("transition %d: got %v, want the one that follows %v", i, tr, told[max(0, i-1)])
		}
	}
	kept := b.Snapshot().Transitions
	if diff := cmp.Diff(told[max(0, len(told)-64):], kept); diff != "" {
		t.Errorf("remembered transitions (-told +kept):\n%s", diff)
	}
}

func TestAListenerThatPanicsDoesNotSilenceTheBreaker(t *testing.T) {
	t.Parallel()
	told := 0
	b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Nanosecond, ProbeTimeout: time.Hour, OnTransition: func(breaker.Transition) {
		if told++; told == 1 {
			panic("listener")
		}
	}})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		fail(t, b, 1)
	}()
	for b.Do(t.Context(), new(dependency).call) != nil { // until it is closed again
	}
	if told != 3 {
		t.Errorf("got %d transitions told, want 3", told)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: 2 * time.Second, CallTimeout: 300 * time.Millisecond})
		time.Sleep(time.Second)
		fail(t, b, 1)
		_ = b.Do(t.Context(), new(dependency).call)

		rec := httptest.NewRecorder()
		breaker.Handler(b).ServeHTTP(rec, httptest.NewRequest("GET", "/breakers", nil))
		want := `[{"name":"payments","state":"open","since":"2000-01-01T00:00:01Z","open_until":"2000-01-01T00:00:03Z",` +
			`"calls":2,"rejected":1,"full":0,"failures":1,"successes":0,"abandoned":0,"slow":0,"in_flight":0,` +
			`"settings":{"failures":1,"open_for_ms":2000,"open_factor":1,"open_max_ms":2000,"open_jitter":0,` +
			`"half_open_calls":1,"half_open_successes":1,"probe_timeout_ms":300,"call_timeout_ms":300},` +
			`"moves":[{"from":"closed","to":"open","count":1},{"from":"open","to":"half-open","count":0},` +
			`{"from":"half-open","to":"open","count":0},{"from":"half-open","to":"closed","count":0}],` +
			`"transitions":[{"seq":1,"at":"2000-01-01T00:00:01Z","from":"closed","to":"open","cause":"a call failed"}]}]` + "\n"
		if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		if got := rec.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("content type: got %q", got)
		}
		var back []breaker.Snapshot
		if err := json.Unmarshal(rec.Body.Bytes(), &back); err != nil || back[0].State != breaker.Open {
			t.Errorf("read back: got %v, %v", back, err)
		}

		rec = httptest.NewRecorder()
		breaker.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/breakers", nil))
		if got := rec.Body.String(); got != "[]\n" {
			t.Errorf("no breaker: got %q, want an empty list", got)
		}
		rec = httptest.NewRecorder()
		breaker.Handler(b).ServeHTTP(rec, httptest.NewRequest("POST", "/breakers", nil))
		if rec.Code != 405 {
			t.Errorf("POST: got %d, want 405", rec.Code)
		}
	})
}

func TestUnknownStateIsRefused(t *testing.T) {
	t.Parallel()
	var s breaker.State
	if _, err := s.MarshalText(); err == nil {
		t.Error("the zero state was written; want an error")
	}
	if err := s.UnmarshalText([]byte("ajar")); err == nil || err.Error() != `breaker state: got "ajar", want closed, half-open or open` {
		t.Errorf("got %v", err)
	}
}
