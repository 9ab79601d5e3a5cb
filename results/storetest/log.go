package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func roundTrip(t *testing.T, s results.Store) {
	t.Helper()
	zone := time.FixedZone("elsewhere", 3600)
	in := results.Result{
		Key:  results.Key{Check: "täglich/1", Location: "local", Slot: base.In(zone), Run: "run-1"},
		Kind: "journey", Start: base.Add(time.Millisecond).In(zone), Duration: 1234567 * time.Nanosecond,
		Status: results.Critical, Cause: results.CauseSlow, Message: "a: got \"x\", want 'y'; 100%\nnext",
		Labels: map[string]string{"team": "shop", "ünï": "\x00"},
		Steps: []results.Step{
			{
				Name: "open", Duration: time.Second, Status: results.Warning, Cause: results.CauseSlow, Error: "slow",
				Warning: time.Millisecond, Critical: 2 * time.Second,
			},
			{
				Parent: 1, Name: "", Offset: 3, Duration: math.MaxInt64,
				Values:    map[string]float64{"bytes": 0.1, "big": math.MaxFloat64, "none": math.Inf(-1), "zero": 0},
				Artifacts: []results.Artifact{{ID: "f00", Name: "page.png", MediaType: "image/png"}},
			},
		},
	}
	event := results.Event{
		Kind: results.EventFault, Subject: "payments", Run: "run-1", Location: "local", Start: base.In(zone),
		End: base.Add(time.Minute), Text: "drop", Labels: map[string]string{"to": "127.0.0.1:9002"},
	}
	before := time.Now()
	fresh := add(t, s, results.Record{Result: &in}, results.Record{Event: &event})
	if len(fresh) != 2 || fresh[0].Received.Before(before.Add(-time.Second)) || time.Since(fresh[0].Received) < 0 {
		t.Fatalf("fresh: got %+v", fresh)
	}
	want, wantEvent := in, event
	want.Slot, want.Start, wantEvent.Start = in.Slot.UTC(), in.Start.UTC(), event.Start.UTC()
	equal(t, "select", all(t, s.Select(t.Context(), results.Query{})), []results.Result{want})
	equal(t, "events", all(t, s.Events(t.Context(), results.Query{})), []results.Event{wantEvent})
	got := all(t, s.Feed(t.Context(), 0))
	equal(t, "feed", got, []results.Record{
		{Seq: fresh[0].Seq, Received: fresh[0].Received, Result: &want},
		{Seq: fresh[1].Seq, Received: fresh[1].Received, Event: &wantEvent},
	})
}

func feed(t *testing.T, s results.Store) {
	t.Helper()
	equal(t, "empty feed", len(all(t, s.Feed(t.Context(), 0))), 0)
	const n = 1300 // more than any page
	var want []string
	for i := range n {
		fresh := add(t, s, At(fmt.Sprintf("c%d", i%7), n-i, results.OK)) // times run backwards, the log does not
		want = append(want, fresh[0].Result.Check)
	}
	var got []string
	var last uint64
	for _, r := range all(t, s.Feed(t.Context(), 0)) {
		if r.Seq <= last {
			t.Fatalf("feed: got seq %d after %d, want it to grow", r.Seq, last)
		}
		last = r.Seq
		got = append(got, r.Result.Check)
	}
	equal(t, "feed", got, want)
	middle := all(t, s.Feed(t.Context(), 0))[n/2].Seq
	equal(t, "rest of the feed", len(all(t, s.Feed(t.Context(), middle))), n-n/2-1)
	equal(t, "feed after its end", len(all(t, s.Feed(t.Context(), last))), 0)
	for r := range s.Feed(t.Context(), 0) { // stopping early must not hold anything
		add(t, s, At("late", int(r.Seq)+2*n, results.OK))
		break
	}
}

func duplicates(t *testing.T, s results.Store) {
	t.Helper()
	first, second := At("a", 0, results.OK), At("a", 0, results.Critical)
	equal(t, "fresh in one batch", len(add(t, s, first, second)), 1)
	equal(t, "fresh of a known key", len(add(t, s, second)), 0)
	equal(t, "the first is kept", all(t, s.Select(t.Context(), results.Query{}))[0].Status, results.OK)
	equal(t, "feed", len(all(t, s.Feed(t.Context(), 0))), 1)
	for _, change := range []func(*results.Key){
		func(k *results.Key) { k.Check = "b" },
		func(k *results.Key) { k.Location = "there" },
		func(k *results.Key) { k.Run = "r1" },
		func(k *results.Key) { k.Slot = k.Slot.Add(1) },
	} {
		other := At("a", 0, results.Critical)
		change(&other.Result.Key)
		equal(t, fmt.Sprintf("fresh with %+v", other.Result.Key), len(add(t, s, other)), 1)
	}
	equal(t, "kept", len(all(t, s.Select(t.Context(), results.Query{}))), 5)
}

func events(t *testing.T, s results.Store) {
	t.Helper()
	event := func(subject string, minute, end int) results.Record {
		e := results.Event{
			Kind: results.EventFault, Subject: subject, Run: "r" + subject, Location: "here",
			Start: base.Add(time.Duration(minute) * time.Minute), Text: "opened",
		}
		if end > 0 {
			e.End, e.Text = base.Add(time.Duration(end)*time.Minute), "closed"
		}
		return results.Record{Event: &e}
	}
	equal(t, "opened", len(add(t, s, event("a", 0, 0))), 1)
	equal(t, "opened again", len(add(t, s, event("a", 0, 0))), 0)
	equal(t, "is open", all(t, s.Events(t.Context(), results.Query{}))[0].End.IsZero(), true)
	equal(t, "closed", len(add(t, s, event("a", 0, 5))), 1)
	equal(t, "closed again", len(add(t, s, event("a", 0, 6))), 0)
	equal(t, "opened after it closed", len(add(t, s, event("a", 0, 0))), 0)
	equal(t, "another, opened and closed at once", len(add(t, s, event("b", 10, 11))), 1)
	equal(t, "opened and closed in one batch", len(add(t, s, event("c", 20, 0), event("c", 20, 21))), 2)

	var log []string
	for _, r := range all(t, s.Feed(t.Context(), 0)) {
		log = append(log, r.Event.Subject+" "+r.Event.Text)
	}
	equal(t, "feed", log, []string{"a opened", "a closed", "b closed", "c opened", "c closed"})
	at := func(minute int) time.Time { return base.Add(time.Duration(minute) * time.Minute) }
	add(t, s, event("d", 30, 0))
	for _, tc := range []struct {
		q    results.Query
		want string
	}{
		{results.Query{}, "dcba"},
		{results.Query{Limit: 3}, "dcb"},
		{results.Query{Run: "rb"}, "b"},
		{results.Query{Since: at(3)}, "dcba"},
		{results.Query{Since: at(6)}, "dcb"},
		{results.Query{Since: at(60)}, "d"},
		{results.Query{Until: at(20)}, "ba"},
		{results.Query{Since: at(12), Until: at(19)}, ""},
	} {
		var got strings.Builder
		for _, e := range all(t, s.Events(t.Context(), tc.q)) {
			got.WriteString(e.Subject)
		}
		equal(t, fmt.Sprintf("events of %+v", tc.q), got.String(), tc.want)
	}
}
