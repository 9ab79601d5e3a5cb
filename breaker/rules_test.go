package breaker_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

// succeed makes n calls that succeed after a while.
func succeed(t *testing.T, b *breaker.Breaker, n int, after time.Duration) {
	t.Helper()
	for range n {
		if err := b.Do(t.Context(), func(context.Context) error { time.Sleep(after); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func wantCause(t *testing.T, b *breaker.Breaker, want string) {
	t.Helper()
	all := b.Snapshot().Transitions
	if len(all) == 0 || all[len(all)-1].Cause != want {
		t.Fatalf("last transition: got %+v, want because %s", all, want)
	}
}

func TestOpensAtExactlyTheDeclaredRate(t *testing.T) {
	t.Parallel()
	b := newBreaker(t, breaker.Settings{FailureRate: 0.1, MinCalls: 30, WindowCalls: 30})
	fail(t, b, 2)
	succeed(t, b, 26, 0)
	fail(t, b, 1)
	wantState(t, b, breaker.Closed) // 3 of 29 are more than 10 %, but too few calls
	// gobreaker looks at its rule only when a call fails: this success is the thirtieth.
	succeed(t, b, 1, 0)
	wantState(t, b, breaker.Open)
	wantCause(t, b, "3 of 30 calls failed, limit 10%")
}

func TestARateAloneHasNoRuleOfFailuresInARow(t *testing.T) {
	t.Parallel()
	b := newBreaker(t, breaker.Settings{FailureRate: 0.5})
	fail(t, b, breaker.DefaultMinCalls-1)
	wantState(t, b, breaker.Closed)
	fail(t, b, 1)
	wantState(t, b, breaker.Open)
}

// Four failures before the edge of a second and four after it are eight in a row of
// less than a second: a fixed window sees four, and four.
func TestTheWindowOfTimeSlides(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{FailureRate: 1, MinCalls: 8, Window: time.Second})
		time.Sleep(900 * time.Millisecond)
		fail(t, b, 4)
		time.Sleep(150 * time.Millisecond)
		fail(t, b, 3)
		wantState(t, b, breaker.Closed)
		fail(t, b, 1)
		wantState(t, b, breaker.Open)
	})
}

func TestTheWindowForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{FailureRate: 1, MinCalls: 8, Window: time.Second})
		fail(t, b, 7)
		time.Sleep(time.Second) // all of it still counts
		if w := b.Snapshot().Window; w.Failures != 7 {
			t.Fatalf("after the window: got %+v, want 7 failures still", w)
		}
		time.Sleep(time.Second/32 + time.Nanosecond)
		if w := b.Snapshot().Window; w.Calls != 0 {
			t.Fatalf("after 1/32 more: got %+v, want nothing", w)
		}
		fail(t, b, 7)
		wantState(t, b, breaker.Closed)
		fail(t, b, 1)
		wantState(t, b, breaker.Open)
	})
}

func TestSlowCallsOpenIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{SlowCall: 200 * time.Millisecond, SlowRate: 0.5, MinCalls: 4, WindowCalls: 10, OpenFor: time.Second})
		succeed(t, b, 2, 200*time.Millisecond) // just fast enough
		succeed(t, b, 1, 201*time.Millisecond)
		wantState(t, b, breaker.Closed)
		succeed(t, b, 1, 201*time.Millisecond)
		wantState(t, b, breaker.Open)
		wantCause(t, b, "2 of 4 calls took more than 200ms, limit 50%")
		time.Sleep(time.Second)
		succeed(t, b, 1, 201*time.Millisecond)
		wantState(t, b, breaker.Open)
		wantCause(t, b, "a probe took more than 200ms")
		time.Sleep(time.Second)
		succeed(t, b, 1, 0)
		wantState(t, b, breaker.Closed)
		if s := b.Snapshot(); s.Slow != 3 || s.Failures != 0 {
			t.Errorf("got %d slow and %d failures, want 3 and 0", s.Slow, s.Failures)
		}
	})
}

// openTimes fails a probe as soon as one is let through, n times.
func openTimes(t *testing.T, b *breaker.Breaker, n int) (all []time.Duration) {
	t.Helper()
	for range n {
		start := time.Now()
		err := b.Do(t.Context(), new(dependency).call)
		open, ok := errors.AsType[*breaker.OpenError](err)
		if !ok {
			t.Fatalf("got %v, want open", err)
		}
		time.Sleep(open.RetryAfter() - time.Nanosecond)
		if err := b.Do(t.Context(), new(dependency).call); !errors.Is(err, breaker.ErrOpen) {
			t.Fatalf("just before: got %v, want open", err)
		}
		time.Sleep(time.Nanosecond)
		all = append(all, time.Since(start))
		fail(t, b, 1)
	}
	return all
}

func TestOpenTimeGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: 2 * time.Second, OpenFactor: 2, OpenMax: 10 * time.Second})
		for range 2 { // it starts anew once it has closed
			fail(t, b, 1)
			for i, got := range openTimes(t, b, 5) {
				if want := []float64{2, 4, 8, 10, 10}[i]; got.Seconds() != want {
					t.Fatalf("open time %d: got %v, want %vs", i, got, want)
				}
			}
			time.Sleep(10 * time.Second)
			succeed(t, b, 1, 0)
		}
	})
}

func TestOpenTimesScatter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second, OpenJitter: 0.2})
		fail(t, b, 1)
		lowest, highest := time.Hour, time.Duration(0)
		for _, d := range openTimes(t, b, 500) {
			lowest, highest = min(lowest, d), max(highest, d)
		}
		if lowest < 800*time.Millisecond || lowest > 820*time.Millisecond || highest > 1200*time.Millisecond || highest < 1180*time.Millisecond {
			t.Errorf("got open times of %v to %v, want about 800ms to 1.2s", lowest, highest)
		}
	})
}

type askedToWait time.Duration

func (askedToWait) Error() string               { return "busy" }
func (a askedToWait) RetryAfter() time.Duration { return time.Duration(a) }

func TestItObeysRetryAfterWithinItsLimit(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]float64{0: 2, 5 * time.Second: 5, time.Hour: 10} {
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: 2 * time.Second, OpenMax: 10 * time.Second})
			_ = b.Do(t.Context(), func(context.Context) error { return askedToWait(asked) })
			if got := openTimes(t, b, 1)[0]; got.Seconds() != want {
				t.Errorf("asked for %v: open for %v, want %vs", asked, got, want)
			}
		})
	}
}

func TestBulkhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, MaxConcurrency: 3})
		answer := make(chan struct{})
		var full, made atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				err := b.Do(t.Context(), func(context.Context) error { made.Add(1); <-answer; return nil })
				if errors.Is(err, breaker.ErrFull) && !errors.Is(err, breaker.ErrOpen) {
					full.Add(1)
				}
			})
		}
		synctest.Wait()
		if s := b.Snapshot(); made.Load() != 3 || full.Load() != 97 || s.InFlight != 3 || s.Full != 97 || s.Failures != 0 {
			t.Errorf("got %d made, %d full, %+v; want 3 and 97", made.Load(), full.Load(), s)
		}
		close(answer)
		wg.Wait()
		wantState(t, b, breaker.Closed)
		succeed(t, b, 4, 0) // one after the other: places come back
		_, ok := errors.AsType[*breaker.FullError](&breaker.FullError{Name: "payments", Limit: 3})
		if got := (&breaker.FullError{Name: "payments", Limit: 3}).Error(); !ok || got != "breaker payments: all 3 places for calls are taken" {
			t.Errorf("got %q", got)
		}
	})
}

// A call that hangs has failed for the breaker, and takes up its place until it is back.
func TestAHangingCallKeepsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 5, MaxConcurrency: 1, CallTimeout: time.Second})
		go func() {
			_ = b.Do(context.Background(), func(context.Context) error { time.Sleep(time.Minute); return nil })
		}()
		time.Sleep(2 * time.Second)
		if s := b.Snapshot(); s.Failures != 1 || s.InFlight != 1 {
			t.Errorf("got %d failures and %d in flight, want 1 and 1", s.Failures, s.InFlight)
		}
		if err := b.Do(t.Context(), new(dependency).call); !errors.Is(err, breaker.ErrFull) {
			t.Errorf("got %v, want full", err)
		}
		time.Sleep(time.Minute)
		succeed(t, b, 1, 0)
	})
}

// However many come, exactly so many probes are under way, and as many succeed as are
// needed, also when that is more.
func TestHalfOpenUnderLoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ calls, successes int }{{1, 1}, {3, 3}, {2, 7}, {1, 5}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second, HalfOpenCalls: c.calls, HalfOpenSuccesses: c.successes})
			fail(t, b, 1)
			time.Sleep(time.Second)
			var now, most, made atomic.Int64
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					for b.State() != breaker.Closed {
						_ = b.Do(t.Context(), func(context.Context) error {
							if n := now.Add(1); n > most.Load() {
								most.Store(n)
							}
							if b.State() == breaker.HalfOpen { // not one that came as it closed
								made.Add(1)
							}
							time.Sleep(10 * time.Millisecond)
							now.Add(-1)
							return nil
						})
						time.Sleep(time.Millisecond)
					}
				})
			}
			wg.Wait()
			if int(most.Load()) != c.calls || int(made.Load()) != c.successes {
				t.Errorf("%+v: got %d at once and %d made, want %d and %d", c, most.Load(), made.Load(), c.calls, c.successes)
			}
		})
	}
}

// The same with real time and real threads, for the race detector.
func TestHalfOpenLimitUnderRace(t *testing.T) {
	t.Parallel()
	const limit = 3
	b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: 2 * time.Millisecond, HalfOpenCalls: limit, HalfOpenSuccesses: 1000})
	fail(t, b, 1)
	for b.Do(t.Context(), new(dependency).call) != nil { // until it is half open
	}
	var now atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 50 {
				_ = b.Do(t.Context(), func(context.Context) error {
					if n := now.Add(1); n > limit && b.State() == breaker.HalfOpen {
						t.Errorf("%d probes at once, want at most %d", n, limit)
					}
					now.Add(-1)
					return nil
				})
			}
		})
	}
	wg.Wait()
	if s := b.Snapshot(); s.InFlight != 0 || s.Calls != s.Successes+s.Rejected+s.Failures {
		t.Errorf("the counters do not add up: %+v", s)
	}
}

func TestALateResultOfAnEarlierStateCountsForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 1, OpenFor: time.Second, OpenFactor: 10, OpenMax: time.Minute})
		_, late, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fail(t, b, 1)
		time.Sleep(time.Second)
		fail(t, b, 1) // now open for 10s, where gobreaker's own time is 1s
		time.Sleep(5 * time.Second)
		late(nil)
		wantState(t, b, breaker.Open)
		if err := b.Do(t.Context(), new(dependency).call); !errors.Is(err, breaker.ErrOpen) {
			t.Errorf("got %v, want open", err)
		}
	})
}

func TestAllow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Settings{Failures: 2, OpenFor: time.Second, CallTimeout: time.Second})
		ctx, done, err := b.Allow(t.Context())
		if deadline, ok := ctx.Deadline(); err != nil || !ok || time.Until(deadline) != time.Second {
			t.Fatalf("got %v, deadline %v", err, deadline)
		}
		done(errDown)
		done(errDown) // counts once
		wantState(t, b, breaker.Closed)
		if ctx.Err() == nil {
			t.Error("the context outlives its call")
		}
		if _, _, err := b.Allow(t.Context()); err != nil { // and is never heard of again
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		wantState(t, b, breaker.Open)
		if _, done, err := b.Allow(t.Context()); err != nil {
			t.Error(err)
		} else {
			done(nil)
		}
		wantState(t, b, breaker.Closed)
	})
}

func TestSettingsThatContradictThemselves(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]breaker.Settings{
		"failure rate: got 50, want more than 0, at most 1":                      {FailureRate: 50},
		"slow rate: got 0.5 and no slow call, want both":                         {SlowRate: 0.5},
		"window: got 1s and 10 calls, want one of the two":                       {FailureRate: 0.5, Window: time.Second, WindowCalls: 10},
		"min calls: got 20, want at most the window, 10 calls":                   {FailureRate: 0.5, MinCalls: 20, WindowCalls: 10},
		"without a failure rate or a slow call, want one of these":               {WindowCalls: 10},
		"slow call: got 2s, want less than the call timeout, 1s":                 {SlowCall: 2 * time.Second, CallTimeout: time.Second},
		"open factor: got 0.5, want 1 to 100":                                    {OpenFactor: 0.5},
		"open max: got 1s, want at least open for, 30s":                          {OpenMax: time.Second},
		"open jitter: got 1, want 0 to 0.9":                                      {OpenJitter: 1},
		"half-open successes: got 1, want at least half-open calls, 2":           {HalfOpenCalls: 2, HalfOpenSuccesses: 1},
		"max concurrency: got -1, want 1 to 1000000, or 0 for no limit":          {MaxConcurrency: -1},
		"window: got 1ns, want 32ns to 8760h0m0s":                                {FailureRate: 0.5, Window: 1},
		"probe timeout: got -1s, want more than 0s, at most 8760h0m0s":           {ProbeTimeout: -time.Second},
		"failures: got 1000001, want 1 to 1000000":                               {Failures: 1_000_001},
		"breaker p: window calls: got -1, want 1 to 1000000":                     {FailureRate: 1, WindowCalls: -1},
		"breaker p: min calls: got -1, want 1 to 1000000":                        {FailureRate: 1, MinCalls: -1},
		"breaker p: slow call: got -1ns, want more than 0s, at most 8760h0m0s":   {SlowCall: -1},
		"breaker p: slow rate: got -1, want more than 0, at most 1":              {SlowCall: 1, SlowRate: -1},
		"breaker p: half-open calls: got -1, want 1 to 1000000":                  {HalfOpenCalls: -1},
		"breaker p: open for: got 9000h0m0s, want more than 0s, at most 8760h0m": {OpenFor: 9000 * time.Hour},
	} {
		s.Name = "p"
		if _, err := breaker.New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
