package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func summarize(t *testing.T, s results.Store, q results.Query, width time.Duration) []results.Bucket {
	t.Helper()
	b, err := s.Summarize(t.Context(), q, width)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func summaries(t *testing.T, s results.Store) {
	t.Helper()
	at := func(minute int) time.Time { return base.Add(time.Duration(minute) * time.Minute) }
	equal(t, "nothing", len(summarize(t, s, results.Query{}, time.Hour)), 0)
	add(
		t, s, At("b", 1, results.Critical), At("a", 25, results.Unknown), At("a", 0, results.OK),
		At("a", 9, results.Warning), At("a", 10, results.OK), At("a", 40, results.OK),
	)
	const ms20 = 20 * time.Millisecond
	one := results.Counts{OK: 1}
	bucket := func(check string, from, to int, c results.Counts, p time.Duration) results.Bucket {
		return results.Bucket{Check: check, Start: at(from), End: at(to), Counts: c, P50: p, P95: p, P99: p}
	}
	equal(t, "ten minutes each", summarize(t, s, results.Query{Since: at(0), Until: at(35)}, 10*time.Minute), []results.Bucket{
		bucket("a", 0, 10, results.Counts{OK: 1, Warning: 1}, ms20),
		bucket("b", 0, 10, results.Counts{Critical: 1}, 0),
		bucket("a", 10, 20, one, ms20),
		bucket("a", 20, 30, results.Counts{Unknown: 1}, 0),
	})
	equal(t, "the last one is cut", summarize(t, s, results.Query{Since: at(5), Until: at(45), Check: "a"}, 30*time.Minute), []results.Bucket{
		bucket("a", 5, 35, results.Counts{OK: 1, Warning: 1, Unknown: 1}, ms20),
		bucket("a", 35, 45, one, ms20),
	})
	equal(t, "one for each check", summarize(t, s, results.Query{Since: at(0), Until: at(60)}, 0), []results.Bucket{
		bucket("a", 0, 60, results.Counts{OK: 3, Warning: 1, Unknown: 1}, ms20),
		bucket("b", 0, 60, results.Counts{Critical: 1}, 0),
	})
	open := summarize(t, s, results.Query{}, 0)
	if len(open) != 2 || !open[1].Start.Equal(at(0)) || !open[1].End.After(at(40)) {
		t.Errorf("without a range: got %+v, want both checks from the first start to the last", open)
	}
	for _, b := range summarize(t, s, results.Query{}, time.Hour) {
		if b.End.Sub(b.Start) != time.Hour || !b.Start.Equal(b.Start.Truncate(time.Hour)) {
			t.Errorf("without Since: got %v to %v, want a full hour", b.Start, b.End)
		}
	}
}

func planned(t *testing.T, s results.Store) {
	t.Helper()
	fault := func(location string, from, to time.Duration) results.Record {
		e := results.Event{Kind: results.EventFault, Subject: fmt.Sprint(from), Location: location, Start: base.Add(from)}
		if to > 0 {
			e.End = base.Add(to)
		}
		return results.Record{Event: &e}
	}
	add(
		t, s,
		At("a", 0, results.OK), At("a", 1, results.Critical), At("a", 2, results.Critical), At("a", 3, results.Critical),
		At("a", 4, results.Warning), At("a", 9, results.Critical), At("a", 12, results.Unknown),
		fault("here", 1*time.Minute+10*time.Millisecond, 2*time.Minute+time.Second), // begins while 1 runs, ends while 2 does
		fault("there", 0, time.Hour),                                        // elsewhere
		fault("here", 8*time.Minute, 10*time.Minute),                        // this one and
		fault("here", 8*time.Minute+time.Second, 9*time.Minute-time.Second), // one inside it
		fault("here", 11*time.Minute, 0),                                    // lasts
		results.Record{Event: &results.Event{Kind: results.EventDown, Location: "here", Start: base.Add(3 * time.Minute), End: base.Add(4 * time.Minute)}},
	)
	scenario := At("a", 0, results.Critical)
	scenario.Result.Run = "r"
	add(t, s, scenario)
	got := summarize(t, s, results.Query{Check: "a"}, 0)[0]
	equal(t, "counts", got.Counts, results.Counts{OK: 1, Warning: 1, Critical: 1})
	equal(t, "planned", got.Planned, results.Counts{Critical: 4, Unknown: 1})
	short := summarize(t, s, results.Query{Since: base.Add(9 * time.Minute), Until: base.Add(10 * time.Minute)}, 0)[0]
	equal(t, "a fault that began before the range", short.Planned, results.Counts{Critical: 1})
}

// percentiles asks for those of 1 to n milliseconds, whatever the order they come in.
func percentiles(t *testing.T, s results.Store) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tc := range []struct{ n, p50, p95, p99 int }{
		{1, 1, 1, 1}, {2, 1, 2, 2}, {3, 2, 3, 3}, {20, 10, 19, 20}, {100, 50, 95, 99}, {101, 51, 96, 100}, {1000, 500, 950, 990},
	} {
		check := fmt.Sprint("n", tc.n)
		var recs []results.Record
		for i, ms := range rng.Perm(tc.n) {
			r := At(check, i, results.Status(ms%2)) // ok or warning
			r.Result.Duration = time.Duration(ms+1) * time.Millisecond
			recs = append(recs, r)
		}
		for i, status := range []results.Status{results.Critical, results.Unknown} { // which do not count
			r := At(check, tc.n+i, status)
			r.Result.Duration = time.Hour
			recs = append(recs, r)
		}
		add(t, s, recs...)
		b := summarize(t, s, results.Query{Check: check}, 0)[0]
		ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		equal(t, check, []time.Duration{b.P50, b.P95, b.P99}, []time.Duration{ms(tc.p50), ms(tc.p95), ms(tc.p99)})
	}
}
