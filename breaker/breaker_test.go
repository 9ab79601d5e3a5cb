package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/breaker"
)

var errDown = errors.New("down")

// A dependency counts the calls that reach it and answers as it is told.
type dependency struct {
	reached atomic.Int64
	err     error
}

func (d *dependency) call(context.Context) error { d.reached.Add(1); return d.err }

func newBreaker(t *testing.T, s breaker.Settings) *breaker.Breaker {
	t.Helper()
	s.Name = "payments"
	b, err := breaker.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fail makes n calls that fail.
func fail(t *testing.T, b *breaker.Breaker, n int) {
	t.Helper()
	for range n {
		if err := b.Do(t.Context(), func(context.Context) error { return errDown }); !errors.Is(err, errDown) {
			t.Fatalf("got %v, want the call's own error", err)
		}
	}
}

func wantState(t *testing.T, b *breaker.Breaker, want breaker.State) {
	t.Helper()
	if got := b.State(); got != want {
		t.Fatalf("state: got %v, want %v", got, want)
	}
}

func TestTripsAtExactlyTheDeclaredFailure(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 5, 6} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			b := newBreaker(t, breaker.Settings{Failures: n})
			if n == 0 {
				n = breaker.DefaultFailures
			}
			fail(t, b, n-1)
			wantState(t, b, breaker.Closed)
			fail(t, b, 1)
			wantState(t, b, breaker.Open)
		})
	}
}

func TestASuccessStartsTheRowAnew(t *testing.T) {
	t.Parallel()
	b := newBreaker(t, breaker.Settings{Failures: 3})
	fail(t, b, 2)
	if err := b.Do(t.Context(), new(dependency).call); err != nil {
		t.Fatal(err)
	}
	fail(t, b, 2)
	wantState(t, b, breaker.Closed)
}

func TestOpenLetsNothingThroughAndSaysUntilWhen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 2, OpenFor: 2 * time.Second})
		fail(t, b, 2)
		var dep dependency
		time.Sleep(500 * time.Millisecond)
		for range 10 {
			err := b.Do(t.Context(), dep.call)
			var open *breaker.OpenError
			if !errors.Is(err, breaker.ErrOpen) || !errors.As(err, &open) {
				t.Fatalf("got %v, want ErrOpen", err)
			}
			if got := open.RetryAfter(); got != 1500*time.Millisecond {
				t.Fatalf("retry after: got %v, want 1.5s", got)
			}
			if got, want := err.Error(), "breaker payments: open until 2000-01-01T00:00:02.000Z"; got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		if n := dep.reached.Load(); n != 0 {
			t.Errorf("%d calls reached the dependency while open, want 0", n)
		}
	})
}

func TestLookingDoesNotMoveIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second})
		fail(t, b, 1)
		time.Sleep(time.Minute)
		wantState(t, b, breaker.Open)
		if s := b.Snapshot(); s.State != breaker.Open || len(s.Transitions) != 1 {
			t.Errorf("got %v after %d transitions, want open after 1", s.State, len(s.Transitions))
		}
	})
}

func TestHalfOpenAdmitsItsProbesAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second, HalfOpenCalls: 2})
		fail(t, b, 1)
		time.Sleep(time.Second + time.Nanosecond)
		answer := make(chan struct{})
		var reached, refused atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := b.Do(t.Context(), func(context.Context) error { reached.Add(1); <-answer; return nil })
				var open *breaker.OpenError
				if errors.As(err, &open) && open.State == breaker.HalfOpen && open.RetryAfter() == 0 {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		if reached.Load() != 2 || refused.Load() != 18 {
			t.Errorf("got %d reached and %d refused, want 2 and 18", reached.Load(), refused.Load())
		}
		wantState(t, b, breaker.HalfOpen)
		close(answer)
		wg.Wait()
		wantState(t, b, breaker.Closed)
	})
}

func TestAFailedProbeOpensItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 3, OpenFor: time.Second})
		fail(t, b, 3)
		time.Sleep(time.Second + time.Nanosecond)
		fail(t, b, 1)
		wantState(t, b, breaker.Open)
		var open *breaker.OpenError
		if err := b.Do(t.Context(), new(dependency).call); !errors.As(err, &open) || open.RetryAfter() != time.Second {
			t.Errorf("got %v, want open for all of another second", err)
		}
	})
}

// Whatever becomes of a probe, the breaker is not stuck with it.
func TestALostProbeIsAFailure(t *testing.T) {
	t.Parallel()
	lose := map[string]func(*breaker.Breaker){
		"panic": func(b *breaker.Breaker) {
			defer func() { _ = recover() }()
			_ = b.Do(context.Background(), func(context.Context) error { panic("lost") })
		},
		"goexit": func(b *breaker.Breaker) {
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_ = b.Do(context.Background(), func(context.Context) error { runtime.Goexit(); return nil })
			}()
			<-gone
		},
		"hang": func(b *breaker.Breaker) {
			go func() {
				_ = b.Do(context.Background(), func(context.Context) error { time.Sleep(time.Hour); return nil })
			}()
			synctest.Wait()
			time.Sleep(time.Second)
			synctest.Wait()
		},
	}
	for name, lose := range lose {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second})
				fail(t, b, 1)
				time.Sleep(time.Second + time.Nanosecond)
				lose(b)
				wantState(t, b, breaker.Open)
				if s := b.Snapshot(); s.Failures != 2 {
					t.Errorf("failures: got %d, want 2", s.Failures)
				}
				time.Sleep(time.Second + time.Nanosecond)
				if err := b.Do(t.Context(), new(dependency).call); err != nil {
					t.Errorf("next probe: %v", err)
				}
				wantState(t, b, breaker.Closed)
				time.Sleep(2 * time.Hour) // the one that hung comes back, and changes nothing
				wantState(t, b, breaker.Closed)
			})
		})
	}
}

func TestCallTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 2, CallTimeout: 300 * time.Millisecond})
		start := time.Now()
		err := b.Do(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 300*time.Millisecond {
			t.Errorf("got %v after %v, want the deadline after 300ms", err, took)
		}
		if s := b.Snapshot(); s.Failures != 1 || s.State != breaker.Closed {
			t.Errorf("after one call: got %d failures and %v, want 1 and closed", s.Failures, s.State)
		}
		go func() { // ignores its context
			_ = b.Do(context.Background(), func(context.Context) error { time.Sleep(time.Second); return nil })
		}()
		time.Sleep(301 * time.Millisecond)
		wantState(t, b, breaker.Open)
		time.Sleep(time.Second)
		if s := b.Snapshot(); s.Failures != 2 || s.Successes != 0 {
			t.Errorf("got %d failures and %d successes, want each call counted once: 2 and 0", s.Failures, s.Successes)
		}
	})
}

func TestWhoIsToBlame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		errMissing := errors.New("no such product")
		b := newBreaker(t, breaker.Settings{
			Failures: 1,
			Classify: func(ctx context.Context, err error) breaker.Outcome {
				if errors.Is(err, errMissing) {
					return breaker.Success
				}
				return breaker.Classify(ctx, err)
			},
		})
		if err := b.Do(t.Context(), func(context.Context) error { return errMissing }); !errors.Is(err, errMissing) {
			t.Errorf("got %v, want the call's own error", err)
		}
		wantState(t, b, breaker.Closed)

		ctx, cancel := context.WithCancel(t.Context())
		_ = b.Do(ctx, func(context.Context) error { cancel(); return ctx.Err() })
		wantState(t, b, breaker.Closed) // the caller went away

		var dep dependency
		if err := b.Do(ctx, dep.call); !errors.Is(err, context.Canceled) || dep.reached.Load() != 0 {
			t.Errorf("a call whose ctx is over: got %v, made %d times; want it not made", err, dep.reached.Load())
		}

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = b.Do(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		wantState(t, b, breaker.Open) // the dependency was slow
		s := b.Snapshot()
		got := []uint64{s.Calls, s.Rejected, s.Failures, s.Successes, s.Abandoned}
		if diff := cmp.Diff([]uint64{4, 0, 1, 1, 2}, got); diff != "" {
			t.Errorf("calls, rejected, failures, successes, abandoned (-want +got):\n%s", diff)
		}
	})
}

// An abandoned probe says nothing, so the next call is a probe again.
func TestAnAbandonedProbeGivesItsPlaceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second})
		fail(t, b, 1)
		time.Sleep(time.Second + time.Nanosecond)
		ctx, cancel := context.WithCancel(t.Context())
		_ = b.Do(ctx, func(context.Context) error { cancel(); return ctx.Err() })
		wantState(t, b, breaker.HalfOpen)
		if err := b.Do(t.Context(), new(dependency).call); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}

func TestSettingsOutOfRange(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]breaker.Settings{
		"breaker: name: got none, want the name of the dependency":                               {},
		"breaker p: failures: got -1, want 1 to 1000000":                                         {Name: "p", Failures: -1},
		"breaker p: half-open calls: got 1000001, want 1 to 1000000":                             {Name: "p", HalfOpenCalls: 1_000_001},
		"breaker p: open for: got -1s, want more than 0s, at most 8760h0m0s":                     {Name: "p", OpenFor: -time.Second},
		"breaker p: call timeout: got -1s, want more than 0s, at most 8760h0m0s, or 0s for none": {Name: "p", CallTimeout: -time.Second},
	} {
		if _, err := breaker.New(s); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
