package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func invalid(t *testing.T, s results.Store) {
	t.Helper()
	bad := At("a", 1, results.OK)
	bad.Result.Slot = time.Time{}
	for _, r := range []results.Record{{}, bad, {Result: At("a", 0, results.OK).Result, Event: &results.Event{}}} {
		if _, err := s.Append(t.Context(), []results.Record{At("a", 0, results.OK), r}); !errors.Is(err, results.ErrInvalid) {
			t.Errorf("append %+v: got %v, want ErrInvalid", r, err)
		}
	}
	equal(t, "stored", len(all(t, s.Feed(t.Context(), 0))), 0)
}

func concurrent(t *testing.T, s results.Store) {
	t.Helper()
	const writers, each = 8, 25
	var wg sync.WaitGroup
	var mu sync.Mutex
	seqs := map[uint64]bool{}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				// Each result comes from two writers: one of them is first.
				fresh, err := s.Append(t.Context(), []results.Record{At(fmt.Sprintf("c%d", w/2), i, results.OK)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, r := range fresh {
					seqs[r.Seq] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	equal(t, "fresh", len(seqs), writers*each/2)
	var got []uint64
	for _, r := range all(t, s.Feed(t.Context(), 0)) {
		got = append(got, r.Seq)
		if !seqs[r.Seq] {
			t.Errorf("feed: got seq %d, which no Append returned", r.Seq)
		}
	}
	equal(t, "feed", len(got), len(seqs))
	equal(t, "in order", slices.IsSorted(got), true)
}

func canceled(t *testing.T, s results.Store) {
	t.Helper()
	add(t, s, At("a", 0, results.OK))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Append(ctx, []results.Record{At("a", 1, results.OK)}); !errors.Is(err, context.Canceled) {
		t.Errorf("append: got %v, want context.Canceled", err)
	}
	for _, err := range s.Select(ctx, results.Query{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("select: got %v, want context.Canceled", err)
		}
	}
	for _, err := range s.Feed(ctx, 0) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("feed: got %v, want context.Canceled", err)
		}
	}
	if _, err := s.Summarize(ctx, results.Query{}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("summarize: got %v, want context.Canceled", err)
	}
	equal(t, "stored", len(all(t, s.Select(t.Context(), results.Query{}))), 1)
	equal(t, "appended afterwards", len(add(t, s, At("a", 1, results.OK))), 1)
}

// nested reads within reads, more than any pool has connections, and writes inside.
func nested(t *testing.T, s results.Store) {
	t.Helper()
	add(t, s, At("a", 0, results.OK), At("a", 1, results.OK))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var dive func(depth int)
	dive = func(depth int) {
		if depth == 0 {
			if _, err := s.Append(ctx, []results.Record{At("b", 0, results.OK)}); err != nil {
				t.Fatal(err)
			}
			return
		}
		for _, err := range s.Select(ctx, results.Query{Check: "a"}) {
			if err != nil {
				t.Fatal(err)
			}
			dive(depth - 1)
			break
		}
	}
	dive(20)
}
