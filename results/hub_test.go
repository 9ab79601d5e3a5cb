package results_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/sqlite"
	"github.com/foreshock/foreshock/results/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDisk = errors.New("disk is full")

// A faulty store is a real one that can be told to fail, panic or hang.
type faulty struct {
	*sqlite.Store
	mu    sync.Mutex
	fail  error
	panic bool
	hang  bool            // until ctx ends
	gate  <-chan struct{} // to be closed first
	tries int
	sizes []int
	first results.Record // of the last batch
}

func (f *faulty) tried() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries
}

func (f *faulty) lastTried() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return minute(f.first)
}

func (f *faulty) set(fail error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

func (f *faulty) Append(ctx context.Context, batch []results.Record) ([]results.Record, error) {
	f.mu.Lock()
	fail, panics, hang, gate := f.fail, f.panic, f.hang, f.gate
	f.tries++
	f.sizes = append(f.sizes, len(batch))
	f.first = batch[0]
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	switch {
	case hang:
		<-ctx.Done()
		return nil, ctx.Err()
	case panics:
		panic("oops")
	case fail != nil:
		return nil, fail
	}
	return f.Store.Append(ctx, batch)
}

// A sink collects what it is sent.
type sink struct {
	send func(ctx context.Context, batch []results.Record) error

	mu     sync.Mutex
	got    []uint64
	closed int
}

func (s *sink) Send(ctx context.Context, batch []results.Record) error {
	if s.send != nil {
		if err := s.send(ctx, batch); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range batch {
		s.got = append(s.got, r.Seq)
	}
	return nil
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

func (s *sink) seqs() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// A road is what a test works with.
type road struct {
	*testing.T
	store *faulty
	hub   *results.Hub
}

// bubble runs test in fake time with a real store.
func bubble(t *testing.T, test func(t road)) {
	t.Helper()
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		store := &faulty{Store: s}
		hub := results.NewHub(store, slog.New(slog.DiscardHandler))
		defer hub.Close(t.Context())
		test(road{t, store, hub})
	})
}

func publish(tb testing.TB, h *results.Hub, from, n int) {
	tb.Helper()
	for i := range n {
		if err := h.Publish(tb.Context(), storetest.At("a", from+i, results.OK)); err != nil {
			tb.Fatal(err)
		}
	}
}

func stored(tb testing.TB, s results.Store) (minutes []int) {
	tb.Helper()
	for r, err := range s.Feed(tb.Context(), 0) {
		if err != nil {
			tb.Fatal(err)
		}
		minutes = append(minutes, minute(r))
	}
	return minutes
}

func minute(r results.Record) int {
	return int(r.Result.Start.Sub(storetest.At("a", 0, results.OK).Result.Start) / time.Minute)
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// collect reads what a subscriber has got so far.
func collect(c <-chan results.Record) (recs []results.Record, open bool) {
	for {
		select {
		case r, ok := <-c:
			if !ok {
				return recs, false
			}
			recs = append(recs, r)
		default:
			return recs, true
		}
	}
}

func TestSlowSinkCostsOnlyItself(t *testing.T) {
	bubble(t, func(t road) {
		hub := t.hub
		slow := &sink{send: func(ctx context.Context, _ []results.Record) error { <-ctx.Done(); return ctx.Err() }}
		panics := &sink{send: func(context.Context, []results.Record) error { panic("oops") }}
		good := &sink{}
		hub.AddSink("slow", slow, 0)
		hub.AddSink("panics", panics, 0)
		hub.AddSink("good", good, 0)
		begin := time.Now()
		publish(t, hub, 0, 200)
		synctest.Wait()
		if took := time.Since(begin); took != 0 {
			t.Errorf("publishing took %v, want nothing: a slow sink must not delay it", took)
		}
		if got := good.seqs(); len(got) != 200 || !slices.IsSorted(got) {
			t.Errorf("good sink: got %d records, sorted %v, want 200 in order", len(got), slices.IsSorted(got))
		}
		if b := hub.Backlog(); b["slow"] != 200 || b["good"] != 0 || b["panics"] != 200 || b["store"] != 0 {
			t.Errorf("backlog: got %v", b)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := hub.Close(ctx); err == nil {
			t.Error("close: got no error, want one that names the sinks with records left")
		}
		if slow.closed != 1 || good.closed != 1 {
			t.Errorf("closed: slow %d times, good %d times, want once each", slow.closed, good.closed)
		}
	})
}

func TestSinkIsTriedAgain(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		tries := 0
		flaky := &sink{send: func(context.Context, []results.Record) error {
			if tries++; tries <= 5 {
				return errors.New("503")
			}
			return nil
		}}
		hub.AddSink("flaky", flaky, 0)
		publish(t, hub, 0, 10)
		time.Sleep(time.Minute) // 1 + 2 + 4 + 8 + 16 seconds
		if got := flaky.seqs(); len(got) != 10 || tries > 10 {
			t.Errorf("got %d records after %d tries, want each once, and few tries", len(got), tries)
		}
		if seq, ok, err := store.Cursor(t.Context(), "flaky"); seq != 10 || !ok || err != nil {
			t.Errorf("cursor in the store: got %d, %v, %v, want 10", seq, ok, err)
		}
	})
}

func TestRejectedIsDroppedAndCounted(t *testing.T) {
	bubble(t, func(t road) {
		hub := t.hub
		picky := &sink{send: func(_ context.Context, batch []results.Record) error {
			if batch[0].Seq == 1 {
				return fmt.Errorf("400: %w", results.ErrRejected)
			}
			return nil
		}}
		hub.AddSink("picky", picky, 0)
		publish(t, hub, 0, 1)
		synctest.Wait()
		publish(t, hub, 1, 2)
		synctest.Wait()
		if got, d := picky.seqs(), hub.Dropped(); !slices.Equal(got, []uint64{2, 3}) || d["picky"] != 1 || d["store"] != 0 {
			t.Errorf("got %v, dropped %v, want 2 and 3, and one dropped", got, d)
		}
	})
}

func TestSinkGoesOnWhereItWas(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		publish(t, hub, 0, 5)
		if err := hub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		late := &sink{}
		hub = results.NewHub(store, slog.New(slog.DiscardHandler))
		hub.AddSink("late", late, 3)
		synctest.Wait()
		if got := late.seqs(); !slices.Equal(got, []uint64{4, 5}) {
			t.Errorf("after seq 3: got %v, want 4 and 5", got)
		}
		// Another process stores something.
		if _, err := store.Store.Append(t.Context(), []results.Record{storetest.At("other", 0, results.OK)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if got := late.seqs(); !slices.Equal(got, []uint64{4, 5, 6}) {
			t.Errorf("after another process stored: got %v, want 4, 5 and 6", got)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFailingStoreKeepsAndTriesAgain(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		s := &sink{}
		hub.AddSink("sink", s, 0)
		live := hub.Subscribe(t.Context())
		publish(t, hub, 0, 3)
		store.set(errDisk)
		begin := time.Now()
		for i := 3; i < 50; i++ {
			err := hub.Publish(t.Context(), storetest.At("a", i, results.OK))
			if !errors.Is(err, results.ErrNotStored) || !errors.Is(err, errDisk) {
				t.Fatalf("publish: got %v, want ErrNotStored and why", err)
			}
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("47 publishers waited %v for a store that fails", took)
		}
		if b := hub.Backlog()["store"]; b != 47 {
			t.Errorf("backlog: got %d, want 47", b)
		}
		recs, _ := collect(live)
		if len(recs) != 50 || recs[2].Seq != 3 || recs[3].Seq != 0 {
			t.Errorf("live: got %d records, want all 50, without a seq where they are not stored", len(recs))
		}
		time.Sleep(time.Minute)
		if n := store.tried(); n > 30 {
			t.Errorf("tried %d times in a minute, want it to back off", n)
		}
		store.set(nil)
		time.Sleep(10 * time.Second)
		publish(t, hub, 50, 1)
		synctest.Wait()
		if got := stored(t, store); !slices.Equal(got, upTo(51)) {
			t.Errorf("stored %v, want 0 to 50 in order", got)
		}
		if recs, _ := collect(live); len(recs) != 1 || recs[0].Seq != 51 {
			t.Errorf("live: got %v more, want the new record alone: the others were shown", recs)
		}
		if got := s.seqs(); len(got) != 51 || hub.Backlog()["store"] != 0 {
			t.Errorf("sink: got %d records, want 51; backlog %v", len(got), hub.Backlog())
		}
	})
}

func TestBacklogIsBounded(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		store.set(errDisk)
		const n, most = 10_500, 10_000
		batch := make([]results.Record, 100)
		for i := range n / len(batch) {
			for k := range batch {
				batch[k] = storetest.At("a", i*len(batch)+k, results.OK)
			}
			if err := hub.Publish(t.Context(), batch...); !errors.Is(err, results.ErrNotStored) {
				t.Fatal(err)
			}
		}
		if b, d := hub.Backlog()["store"], hub.Dropped()["store"]; b != most || d != n-most {
			t.Errorf("got %d kept and %d dropped, want %d and %d", b, d, most, n-most)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := hub.Close(ctx); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "10000 records were not stored") {
			t.Errorf("close: got %v, want it to say how many are lost, and why", err)
		}
		if got := store.lastTried(); got != n-most {
			t.Errorf("the oldest record tried is number %d, want %d", got, n-most)
		}
	})
}

func TestStoreThatPanics(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		store.mu.Lock()
		store.panic = true
		store.mu.Unlock()
		if err := hub.Publish(t.Context(), storetest.At("a", 0, results.OK)); !errors.Is(err, results.ErrNotStored) {
			t.Errorf("got %v, want ErrNotStored", err)
		}
		store.mu.Lock()
		store.panic = false
		store.mu.Unlock()
		time.Sleep(10 * time.Second)
		if got := stored(t, store); len(got) != 1 {
			t.Errorf("stored %v afterwards, want the record", got)
		}
	})
}

func TestStoreThatHangs(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		store.mu.Lock()
		store.hang = true
		store.mu.Unlock()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := hub.Publish(ctx, storetest.At("a", 0, results.OK))
		if !errors.Is(err, results.ErrNotStored) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("publish for a second: got %v after %v", err, time.Since(begin))
		}
		if err := hub.Publish(t.Context(), storetest.At("a", 1, results.OK)); !errors.Is(err, results.ErrNotStored) || time.Since(begin) > time.Minute {
			t.Errorf("publish: got %v after %v, want an end even so", err, time.Since(begin))
		}
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin = time.Now()
		if err := hub.Close(ctx); err == nil || time.Since(begin) > 7*time.Second {
			t.Errorf("close: got %v after %v, want an error that 2 records are left after 5 s", err, time.Since(begin))
		}
	})
}

func TestPublishersShareATransaction(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		gate := make(chan struct{})
		store.mu.Lock()
		store.gate = gate
		store.mu.Unlock()
		var wg sync.WaitGroup
		var done atomic.Int32
		for i := range 200 {
			wg.Go(func() {
				if err := hub.Publish(t.Context(), storetest.At("a", i, results.OK)); err != nil {
					t.Error(err)
				}
				done.Add(1)
			})
		}
		synctest.Wait() // the first is being stored, the rest waits for it
		if n := done.Load(); n != 0 {
			t.Errorf("%d were published before they were stored", n)
		}
		close(gate)
		wg.Wait()
		if len(store.sizes) > 2 || len(stored(t, store)) != 200 {
			t.Errorf("stored in transactions of %v, want two for all 200", store.sizes)
		}
	})
}

func TestCommitOrderAndDuplicates(t *testing.T) {
	bubble(t, func(t road) {
		hub := t.hub
		s := &sink{}
		hub.AddSink("sink", s, 0)
		live := hub.Subscribe(t.Context())
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := range 20 { // each twice, from two of them
					if err := hub.Publish(t.Context(), storetest.At(fmt.Sprint("c", w/2), i, results.OK)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		recs, _ := collect(live)
		var got []uint64
		for _, r := range recs {
			got = append(got, r.Seq)
		}
		want := make([]uint64, 80)
		for i := range want {
			want[i] = uint64(i + 1)
		}
		if !slices.Equal(got, want) || !slices.Equal(s.seqs(), want) {
			t.Errorf("live %v, sink %v, want 1 to 80 in order, each once", got, s.seqs())
		}
	})
}

func TestSlowSubscriberIsLeftBehind(t *testing.T) {
	bubble(t, func(t road) {
		hub := t.hub
		slow := hub.Subscribe(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		gone := hub.Subscribe(ctx)
		cancel()
		synctest.Wait()
		good := hub.Subscribe(t.Context())
		n := 0
		for i := range 300 {
			publish(t, hub, i, 1)
			recs, _ := collect(good)
			n += len(recs)
		}
		if n != 300 {
			t.Errorf("good subscriber: got %d, want 300", n)
		}
		if recs, open := collect(slow); open || len(recs) != 256 {
			t.Errorf("slow subscriber: got %d, open %v, want what was buffered and a closed channel", len(recs), open)
		}
		if recs, open := collect(gone); open || len(recs) != 0 {
			t.Errorf("subscriber whose context ended: got %d, open %v", len(recs), open)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, open := collect(good); open {
			t.Error("after Close: the channel is open")
		}
		if _, open := collect(hub.Subscribe(t.Context())); open {
			t.Error("subscribed after Close: the channel is open")
		}
	})
}

func TestCloseFlushes(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		slow := &sink{send: func(context.Context, []results.Record) error { time.Sleep(3 * time.Second); return nil }}
		hub.AddSink("slow", slow, 0)
		publish(t, hub, 0, 3)
		store.set(errDisk)
		if err := hub.Publish(t.Context(), storetest.At("a", 3, results.OK)); !errors.Is(err, results.ErrNotStored) {
			t.Fatal(err)
		}
		time.AfterFunc(2*time.Second, func() { store.set(nil) })
		if err := hub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := slow.seqs(); !slices.Equal(got, []uint64{1, 2, 3, 4}) || slow.closed != 1 {
			t.Errorf("sink: got %v, closed %d times, want all four, then closed once", got, slow.closed)
		}
		if seq, _, err := store.Cursor(t.Context(), "slow"); seq != 4 || err != nil {
			t.Errorf("cursor: got %d, %v, want 4", seq, err)
		}
		if err := hub.Publish(t.Context(), storetest.At("a", 4, results.OK)); !errors.Is(err, results.ErrClosed) {
			t.Errorf("publish after Close: got %v, want ErrClosed", err)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Errorf("a second Close: got %v", err)
		}
	})
}

func TestPublishRefusesWhatNoStoreKeeps(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		bad := storetest.At("a", 0, results.OK)
		bad.Result.Check = ""
		for _, r := range []results.Record{{}, bad, {Event: &results.Event{Kind: "fault"}}} {
			if err := hub.Publish(t.Context(), storetest.At("a", 1, results.OK), r); !errors.Is(err, results.ErrInvalid) {
				t.Errorf("publish %+v: got %v, want ErrInvalid", r, err)
			}
		}
		if err := hub.Publish(t.Context()); err != nil || store.tried() != 0 {
			t.Errorf("publish nothing: got %v after %d tries", err, store.tried())
		}
	})
}
