package lab

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What a breaker does, by the calls that reach its dependency.
type behaviour struct {
	OpensAt   int           // failed calls that reached it before the first was rejected; 0: none was
	Leaks     int           // of 60 calls in the open time, and what came behind their back
	Slow      time.Duration // the slowest rejection
	Probes    int           // of 10 calls at once, when the open time is over
	Lost      int           // of these: neither reached it nor were told that they were rejected
	Again     int           // of 20 calls after these failed
	ClosesIn  time.Duration // after the next open time, the dependency being well
	AtOnClose int           // calls that reached it in the moment it closed, beside the one that was made
}

var errDown = errors.New("down")

// right is what all of the right ones do.
func right() behaviour { return behaviour{OpensAt: 5, Probes: 1} }

// watch tries a breaker out on a clock of its own.
func watch(t *testing.T, word string, s Service) (b behaviour) {
	t.Helper()
	s.Breaker, s.Dependencies = word, []string{"127.0.0.1:1"}
	s = s.complete()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer time.Sleep(2 * time.Second) // until what it started has ended
		defer cancel()
		gs, err := gates()[word](ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		w := &watched{gate: gs[0]}
		for range 20 {
			w.call(ctx, nil, 0)
		}
		w.reached.Store(0)
		for n := range 100 {
			if w.call(ctx, errDown, 10*time.Millisecond) {
				b.OpensAt = n
				break
			}
		}
		if b.OpensAt == 0 {
			return
		}
		w.open(ctx, &b, ms(s.OpenMS))
		w.halfOpen(ctx, &b, ms(s.OpenMS))
	})
	return b
}

type watched struct {
	gate
	reached atomic.Int64
}

// call makes a call that ends with err, and reports whether it was rejected.
func (w *watched) call(ctx context.Context, err error, took time.Duration) bool {
	got := w.do(ctx, func(context.Context) error {
		w.reached.Add(1)
		time.Sleep(took)
		return err
	})
	return errors.Is(got, errRejected)
}

func (w *watched) open(ctx context.Context, b *behaviour, openFor time.Duration) {
	w.reached.Store(0)
	begin := time.Now()
	for n := 0; n < 60 && time.Since(begin) < openFor*5/6; n++ {
		at := time.Now()
		if w.call(ctx, errDown, time.Millisecond) {
			b.Slow = max(b.Slow, time.Since(at))
		}
		time.Sleep(time.Until(begin.Add(openFor * 5 / 6 / 60 * time.Duration(n+1))))
	}
	b.Leaks = int(w.reached.Load())
	time.Sleep(time.Until(begin.Add(openFor + time.Millisecond)))
}

func (w *watched) halfOpen(ctx context.Context, b *behaviour, openFor time.Duration) {
	w.reached.Store(0)
	var wg sync.WaitGroup
	var refused atomic.Int64
	for range 10 {
		wg.Go(func() {
			if w.call(ctx, errDown, 50*time.Millisecond) {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	b.Probes = int(w.reached.Swap(0))
	b.Lost = max(0, 10-b.Probes-int(refused.Load()))
	begin := time.Now()
	for n := 0; n < 20 && time.Since(begin) < openFor*5/6; n++ {
		w.call(ctx, errDown, time.Millisecond)
	}
	b.Again = int(w.reached.Swap(0))
	time.Sleep(time.Until(begin.Add(openFor + time.Millisecond)))
	begin = time.Now()
	for w.call(ctx, nil, 0) {
		if b.ClosesIn = time.Since(begin); b.ClosesIn > time.Minute {
			return
		}
		w.reached.Store(0)
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Millisecond)
	b.AtOnClose = int(w.reached.Load()) - 1
}

func TestRightOnes(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"foreshock", "gobreaker-v1", "gobreaker-v2", "failsafe", "plain"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(right(), watch(t, word, Service{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	two := right()
	two.Probes = 2
	if diff := cmp.Diff(two, watch(t, "foreshock", Service{HalfOpenCalls: 2})); diff != "" {
		t.Errorf("two probes (-want +got):\n%s", diff)
	}
	all := right()
	all.Probes = 10 // which its case declares
	if diff := cmp.Diff(all, watch(t, "eapache", Service{HalfOpenSuccesses: 1})); diff != "" {
		t.Errorf("eapache (-want +got):\n%s", diff)
	}
}

// Each wrong one differs from a right one in what it is named for, and in what follows.
func TestWrongOnes(t *testing.T) {
	t.Parallel()
	for word, change := range map[string]func(*behaviour){
		"never-opens":       func(b *behaviour) { *b = behaviour{} },
		"deaf-to-refusals":  func(b *behaviour) { *b = behaviour{} },
		"opens-early":       func(b *behaviour) { b.OpensAt = 4 },
		"opens-at-once":     func(b *behaviour) { b.OpensAt = 1 },
		"opens-late":        func(b *behaviour) { b.OpensAt = 6 },
		"opens-at-twice":    func(b *behaviour) { b.OpensAt = 10 },
		"warms-up":          func(b *behaviour) { b.OpensAt = 40 },
		"per-thread":        func(b *behaviour) { b.OpensAt = 20; b.Probes = 4 },
		"leaks-tenth":       func(b *behaviour) { b.Leaks = 6; b.Probes, b.Again = 2, 2 },
		"leaks-thirtieth":   func(b *behaviour) { b.Leaks = 2; b.Probes, b.Again = 1, 1 },
		"retries-behind":    func(b *behaviour) { b.Leaks, b.Probes, b.AtOnClose = 6, 2, 2 },
		"slow-rejection":    func(b *behaviour) { b.Slow = 200 * time.Millisecond },
		"waits-to-reject":   func(b *behaviour) { b.Slow = 300 * time.Millisecond },
		"slow-tenth":        func(b *behaviour) { b.Slow = 150 * time.Millisecond },
		"half-open-herd":    func(b *behaviour) { b.Probes = 10 },
		"half-open-extra":   func(b *behaviour) { b.Probes = 3 },
		"never-closes":      func(b *behaviour) { b.Probes, b.ClosesIn = 0, time.Minute+10*time.Millisecond },
		"loses-probe":       func(b *behaviour) { b.ClosesIn = time.Minute + 10*time.Millisecond },
		"closes-by-timer":   func(b *behaviour) { b.Probes = 10 },
		"forgets-to-reopen": func(b *behaviour) { b.Again = 5 },
		"counts-sums":       func(*behaviour) {},
		"gauge-says-closed": func(*behaviour) {},
		"gauge-says-open":   func(*behaviour) {},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			want := right()
			change(&want)
			if diff := cmp.Diff(want, watch(t, word, Service{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// These are wrong in a way that takes other numbers to see.
func TestWrongTimes(t *testing.T) {
	t.Parallel()
	if b := watch(t, "short-open", Service{}); b.OpensAt != 5 || b.Leaks == 0 {
		t.Errorf("short-open: got %+v, want calls that reach the dependency in the open time", b)
	}
	if b := watch(t, "jittery-open", Service{}); b.OpensAt != 5 || b.Leaks == 0 {
		t.Errorf("jittery-open: got %+v, want calls that reach the dependency in the open time", b)
	}
	if b := watch(t, "long-open", Service{}); b.Leaks != 0 || b.ClosesIn < 20*time.Second {
		t.Errorf("long-open: got %+v, want it closed no sooner than 30 s after it opened", b)
	}
	if b := watch(t, "backs-off", Service{}); b.Leaks != 0 || b.ClosesIn < 15*time.Second {
		t.Errorf("backs-off: got %+v, want it closed 18 s after its probe failed", b)
	}
	if b := watch(t, "doubles", Service{}); b.Leaks != 0 || b.ClosesIn < 1900*time.Millisecond || b.ClosesIn > 2*time.Second {
		t.Errorf("doubles: got %+v, want it open for 4 s after its probe failed", b)
	}
	if b := watch(t, "varies", Service{}); b.OpensAt != 5 || b.Again != 0 || b.ClosesIn > 501*time.Millisecond {
		t.Errorf("varies: got %+v, want it open for 1.5 to 2.5 s", b)
	}
	if b := watch(t, "releases-the-queue", Service{}); b.Leaks != 0 || b.AtOnClose < 60 {
		t.Errorf("releases-the-queue: got %+v, want every rejected call made when it closes", b)
	}
}

// These count otherwise than is declared of them.
func TestWrongCounts(t *testing.T) {
	t.Parallel()
	const slowAt, window = 200 * time.Millisecond, 4 * time.Second
	for _, c := range []struct {
		word  string
		took  time.Duration // of 5 calls that succeed
		opens bool
	}{
		{"plain", slowAt * 13 / 20, false},
		{"plain", slowAt * 13 / 10, true},
		{"slow-from-half", slowAt * 13 / 20, true},
		{"slow-from-twice", slowAt * 13 / 10, false},
	} {
		s := Service{SlowCallMS: int(slowAt.Milliseconds())}
		if got := opens(t, c.word, s, func(w *watched) { w.times(t.Context(), 5, nil, c.took) }); got != c.opens {
			t.Errorf("%s after calls of %v: got open %v, want %v", c.word, c.took, got, c.opens)
		}
	}
	for word, want := range map[string]bool{"plain": false, "never-forgets": true} {
		got := opens(t, word, Service{WindowMS: int(window.Milliseconds())}, func(w *watched) {
			w.times(t.Context(), 4, errDown, time.Millisecond)
			time.Sleep(window + time.Second)
			w.times(t.Context(), 1, errDown, time.Millisecond)
		})
		if got != want {
			t.Errorf("%s after failures older than its window: got open %v, want %v", word, got, want)
		}
	}
}

// opens says whether a breaker rejects after what was done, on a clock of its own.
func opens(t *testing.T, word string, s Service, do func(*watched)) (rejects bool) {
	t.Helper()
	s.Dependencies = []string{"127.0.0.1:1"}
	synctest.Test(t, func(t *testing.T) {
		gs, err := gates()[word](t.Context(), s.complete())
		if err != nil {
			t.Fatal(err)
		}
		w := &watched{gate: gs[0]}
		do(w)
		rejects = w.call(t.Context(), errDown, time.Millisecond)
	})
	return rejects
}

func (w *watched) times(ctx context.Context, n int, err error, took time.Duration) {
	for range n {
		w.call(ctx, err, took)
	}
}
