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

// Who stops the program does not wait for a disk that stays full, nor for a system that
// stays down, but learns what is left.
func TestCloseGivesUp(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		hub.AddSink("down", &sink{send: func(context.Context, []results.Record) error { return errors.New("503") }}, 0)
		publish(t, hub, 0, 3)
		time.Sleep(time.Hour) // the pauses between its tries are long by now
		store.set(errDisk)
		if err := hub.Publish(t.Context(), storetest.At("a", 3, results.OK)); !errors.Is(err, results.ErrNotStored) {
			t.Fatal(err)
		}
		begin := time.Now()
		err := hub.Close(t.Context())
		if took := time.Since(begin); took < 3*time.Second || took > 7*time.Second {
			t.Errorf("close took %v, want some seconds for the store and some for the sink", took)
		}
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "1 records were not stored") || !strings.Contains(err.Error(), "close sink down: 3 records were not sent: 503") {
			t.Errorf("close: got %v, want what was not stored and not sent, and why", err)
		}
	})
}
