package results_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/storetest"
)

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

func TestOrderIsKeptWhenAStoreFails(t *testing.T) {
	bubble(t, func(t road) {
		store, hub := t.store, t.hub
		gate := make(chan struct{})
		store.mu.Lock()
		store.gate, store.fail = gate, errDisk
		store.mu.Unlock()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if err := hub.Publish(t.Context(), storetest.At("a", i, results.OK)); !errors.Is(err, errDisk) {
					t.Errorf("got %v, want why it was not stored", err)
				}
			})
			synctest.Wait() // the first is being stored, the rest waits behind it
		}
		close(gate)
		wg.Wait()
		store.set(nil)
		if err := hub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := stored(t, store); !slices.Equal(got, upTo(20)) {
			t.Errorf("stored %v, want 0 to 19 in order", got)
		}
	})
}

func TestEvidenceThatWaitsIsBounded(t *testing.T) {
	bubble(t, func(t road) {
		t.store.set(errDisk)
		const n = 30
		data := make([]byte, 4<<20) // of 64 MiB, 16 have a place
		for i := range n {
			r := storetest.At("a", i, results.Critical)
			r.Result.Message = "broken"
			r.Result.Steps = []results.Step{{Name: "open", Artifacts: []results.Artifact{{ID: "f00", Name: "failure", MediaType: "image/png", Data: data}}}}
			if err := t.hub.Publish(t.Context(), r); !errors.Is(err, results.ErrNotStored) {
				t.Fatal(err)
			}
			synctest.Wait()
			if len(r.Result.Steps[0].Artifacts) != 1 {
				t.Fatal("the result that was published has changed")
			}
		}
		time.Sleep(time.Minute)
		t.store.set(nil)
		time.Sleep(10 * time.Second)
		with, without := 0, 0
		for rec, err := range t.store.Feed(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if len(rec.Result.Steps[0].Artifacts) > 0 {
				with++
			} else if rec.Result.Message == "broken\nno evidence is kept: the store fails, and too much waits for it" {
				without++
			}
		}
		if with != 16 || without != n-16 {
			t.Errorf("got %d results with evidence and %d without, want 16 and %d", with, without, n-16)
		}
	})
}
