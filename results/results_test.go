package results_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/results"
)

func TestStatusOrderAndNumbers(t *testing.T) {
	t.Parallel()
	words := []string{"ok", "warning", "critical", "unknown"} // 0 to 3: exit codes of monitoring plugins
	for i, s := range results.Statuses() {
		if int(s) != i || s.String() != words[i] {
			t.Errorf("status %d: got %v, want %s", i, s, words[i])
		}
	}
	order := []results.Status{results.Critical, results.Unknown, results.Warning, results.OK}
	for i, a := range order {
		for j, b := range order {
			if a.Worse(b) != (i < j) {
				t.Errorf("%v worse than %v: got %v", a, b, a.Worse(b))
			}
		}
	}
	if _, err := json.Marshal(results.Status(4)); err == nil {
		t.Error("status 4 was written")
	}
}

func FuzzStatusText(f *testing.F) {
	for _, w := range []string{"ok", "warning", "critical", "unknown", "", "OK", "status(4)", "ok "} {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s := results.Status(9)
		err := s.UnmarshalText([]byte(word))
		if err != nil {
			if s != 9 {
				t.Errorf("%q: it was refused, but set %v", word, s)
			}
			return
		}
		if b, err := s.MarshalText(); err != nil || string(b) != word {
			t.Errorf("%q came back as %q, %v", word, b, err)
		}
	})
}

// A result that travels as JSON arrives as it left.
func FuzzResultJSON(f *testing.F) {
	f.Add("storefront", "local", int64(1767323045123456789), int64(42), uint8(2), "slow", "got 1, want 2", 0.25)
	f.Add("", "", int64(0), int64(-1), uint8(0), "", "\u2028<>&", 1e-300)
	f.Fuzz(func(t *testing.T, check, location string, slot, took int64, status uint8, cause, message string, value float64) {
		if math.IsNaN(value) || math.IsInf(value, 0) || status > 3 {
			t.Skip("JSON has no such number")
		}
		clean := func(s string) string { return string([]rune(s)) } // JSON is UTF-8
		in := results.Record{Seq: 7, Received: time.Unix(0, slot).UTC(), Result: &results.Result{
			Key:   results.Key{Check: clean(check), Location: clean(location), Slot: time.Unix(0, slot).UTC()},
			Start: time.Unix(0, slot).UTC(), Duration: time.Duration(took), Status: results.Status(status),
			Cause: results.Cause(clean(cause)), Message: clean(message),
			Steps: []results.Step{{Name: clean(check), Values: map[string]float64{"v": value}}},
		}}
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out results.Record
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" {
			t.Errorf("%s", diff)
		}
	})
}

func TestAvailability(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		c    results.Counts
		want float64
		ok   bool
	}{
		{results.Counts{}, 0, false},
		{results.Counts{Unknown: 7}, 0, false}, // could not look
		{results.Counts{OK: 2, Warning: 1, Critical: 1, Unknown: 96}, 0.75, true},
		{results.Counts{Critical: 3}, 0, true},
		{results.Counts{Warning: 3}, 1, true},
	} {
		if got, ok := tc.c.Availability(); got != tc.want || ok != tc.ok {
			t.Errorf("%+v: got %v, %v, want %v, %v", tc.c, got, ok, tc.want, tc.ok)
		}
	}
	var c results.Counts
	for i, s := range results.Statuses() {
		c.Add(s, i+1)
	}
	if c != (results.Counts{OK: 1, Warning: 2, Critical: 3, Unknown: 4}) || c.Total() != 10 {
		t.Errorf("added: got %+v", c)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good := results.Result{Key: results.Key{Check: "a", Slot: now}, Start: now}
	change := func(f func(*results.Result)) results.Record {
		r := good
		f(&r)
		return results.Record{Result: &r}
	}
	for want, recs := range map[bool][]results.Record{
		true: {
			{Result: &good},
			{Event: &results.Event{Kind: results.EventFault, Start: now}},
			{Event: &results.Event{Kind: results.EventFault, Start: now, End: now}},
		},
		false: {
			{},
			{Result: &good, Event: &results.Event{Kind: "x", Start: now}},
			change(func(r *results.Result) { r.Check = "" }),
			change(func(r *results.Result) { r.Slot = time.Time{} }),
			change(func(r *results.Result) { r.Start = time.Time{} }),
			change(func(r *results.Result) { r.Start = now.AddDate(300, 0, 0) }),
			change(func(r *results.Result) { r.Duration = -1 }),
			change(func(r *results.Result) { r.Status = 4 }),
			{Event: &results.Event{Kind: "", Start: now}},
			{Event: &results.Event{Kind: "x"}},
			{Event: &results.Event{Kind: "x", Start: now, End: now.Add(-1)}},
		},
	} {
		for i, r := range recs {
			if err := r.Validate(); (err == nil) != want {
				t.Errorf("%d: got %v, want valid %v", i, err, want)
			}
		}
	}
}
