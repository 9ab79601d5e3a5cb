// Package storetest is the contract of results.Store as a test suite. Every store
// runs it, so that sinks, reports and the dashboard can rely on any of them.
package storetest

import (
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/results"
)

// Run checks the stores that open makes: an empty one for each subtest, which open
// also closes.
func Run(t *testing.T, open func(t *testing.T) results.Store) {
	t.Helper()
	for _, tc := range []struct {
		name string
		test func(t *testing.T, s results.Store)
	}{
		{"a record comes back as it went in", roundTrip},
		{"the feed is the log", feed},
		{"a key is kept once", duplicates},
		{"an event opens and closes", events},
		{"select narrows, newest first", selects},
		{"a select pages through many of one start", pages},
		{"artifacts are kept apart, once", artifacts},
		{"one bad record fails the batch", invalid},
		{"concurrent appends are one log", concurrent},
		{"a context that ended stops it", canceled},
		{"a reader may write meanwhile", nested},
		{"summaries", summaries},
		{"summaries keep planned faults apart", planned},
		{"percentiles", percentiles},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.test(t, open(t))
		})
	}
}

// base is a time with nanoseconds, which must not get lost.
var base = time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)

// At makes a plain result of the check at a minute after a fixed time.
func At(check string, minute int, status results.Status) results.Record {
	start := base.Add(time.Duration(minute) * time.Minute)
	return results.Record{Result: &results.Result{
		Key: results.Key{Check: check, Location: "here", Slot: start}, Kind: "http",
		Start: start, Duration: 20 * time.Millisecond, Status: status,
	}}
}

func all[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// add appends and returns what was fresh.
func add(t *testing.T, s results.Store, recs ...results.Record) []results.Record {
	t.Helper()
	fresh, err := s.Append(t.Context(), recs)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
