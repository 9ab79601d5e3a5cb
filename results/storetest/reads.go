package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func selects(t *testing.T, s results.Store) {
	t.Helper()
	var recs []results.Record
	for i := range 6 {
		r := At("c"+string(rune('0'+i%2)), i, results.OK)
		r.Result.Message = string(rune('0' + i))
		if i == 3 {
			r.Result.Run = "r"
		}
		recs = append(recs, r)
	}
	add(t, s, recs[4], recs[0], recs[5], recs[2], recs[1], recs[3])
	at := func(minute int) time.Time { return base.Add(time.Duration(minute) * time.Minute) }
	for _, tc := range []struct {
		q    results.Query
		want string
	}{
		{results.Query{}, "543210"},
		{results.Query{Check: "c1"}, "531"},
		{results.Query{Check: "absent"}, ""},
		{results.Query{Run: "r"}, "3"},
		{results.Query{Run: "r", Check: "c0"}, ""},
		{results.Query{Since: at(4)}, "54"},
		{results.Query{Until: at(4)}, "3210"},
		{results.Query{Since: at(1), Until: at(4), Check: "c0"}, "2"},
		{results.Query{Limit: 2}, "54"},
		{results.Query{Check: "c0", Limit: 1}, "4"},
	} {
		var got strings.Builder
		for _, r := range all(t, s.Select(t.Context(), tc.q)) {
			got.WriteString(r.Message)
		}
		equal(t, fmt.Sprintf("select %+v", tc.q), got.String(), tc.want)
	}
}

func pages(t *testing.T, s results.Store) {
	t.Helper()
	const n = 1234
	var recs []results.Record
	for i := range n {
		r := At(fmt.Sprintf("c%d", i%3), 0, results.OK)
		r.Result.Slot = base.Add(time.Duration(i))
		recs = append(recs, r)
	}
	add(t, s, recs...)
	for _, q := range []results.Query{{}, {Check: "c1"}, {Limit: 1001}, {Limit: 500}} {
		want := n
		if q.Check != "" {
			want = (n + 1) / 3
		}
		if q.Limit > 0 {
			want = q.Limit
		}
		seen := map[results.Key]bool{}
		for _, r := range all(t, s.Select(t.Context(), q)) {
			seen[r.Key] = true
		}
		equal(t, fmt.Sprintf("results of %+v", q), len(seen), want)
	}
}

func artifacts(t *testing.T, s results.Store) {
	t.Helper()
	data := bytes.Repeat([]byte("\x00png\xff"), 50_000)
	sum := sha256.Sum256(data)
	id := hex.EncodeToString(sum[:])
	for i := range 2 {
		r := At("a", i, results.Critical)
		r.Result.Steps = []results.Step{{Name: "open", Artifacts: []results.Artifact{{ID: id, Name: "page.png", MediaType: "image/png", Data: data}}}}
		fresh := add(t, s, r)
		equal(t, "data in what was fresh", fresh[0].Result.Steps[0].Artifacts[0].Data, nil)
		equal(t, "data in what was given", len(r.Result.Steps[0].Artifacts[0].Data), len(data))
	}
	for _, r := range all(t, s.Select(t.Context(), results.Query{})) {
		equal(t, "artifact of a result", r.Steps[0].Artifacts[0], results.Artifact{ID: id, Name: "page.png", MediaType: "image/png"})
	}
	got, err := s.Artifact(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "artifact", got, results.Artifact{ID: id, Name: "page.png", MediaType: "image/png", Data: data})
	if _, err := s.Artifact(t.Context(), "absent"); !errors.Is(err, results.ErrNotFound) {
		t.Errorf("absent artifact: got %v, want ErrNotFound", err)
	}
}
