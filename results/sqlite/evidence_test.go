package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/storetest"
)

// seen is a failed result with so many bytes of evidence, that no other has.
func seen(minute, size int) (results.Record, string) {
	data := bytes.Repeat([]byte{byte(minute)}, size)
	sum := sha256.Sum256(data)
	id := hex.EncodeToString(sum[:])
	r := storetest.At("journey", minute, results.Critical)
	r.Result.Cause, r.Result.Message = results.CauseTimeout, "no such button"
	r.Result.Steps = []results.Step{{Name: "pay", Artifacts: []results.Artifact{{ID: id, Name: "failure", MediaType: "image/png", Data: data}}}}
	return r, id
}

func only(t *testing.T, s *Store) results.Result {
	t.Helper()
	var found []results.Result
	for r, err := range s.Select(t.Context(), results.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, r)
	}
	if len(found) != 1 {
		t.Fatalf("got %d results, want one", len(found))
	}
	return found[0]
}

func TestFullDiskLeavesTheResult(t *testing.T) {
	t.Parallel()
	s := opened(t)
	if _, err := s.write.Exec("PRAGMA max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	rec, _ := seen(1, 1<<20)
	fresh, err := s.Append(t.Context(), []results.Record{rec})
	if err != nil || len(fresh) != 1 {
		t.Fatalf("got %v and %d fresh, want the result stored without its picture", err, len(fresh))
	}
	r := only(t, s)
	if len(r.Steps) != 1 || len(r.Steps[0].Artifacts) != 0 || r.Status != results.Critical ||
		r.Message != "no such button\nno evidence is kept: the disk of the store is full" {
		t.Errorf("got %+v, want the result with its step, and why it has no picture", r)
	}
	if len(rec.Result.Steps[0].Artifacts) != 1 || strings.Contains(rec.Result.Message, "evidence") {
		t.Error("the result that was given has changed")
	}
}

func TestOldEvidenceIsDeleted(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.evidence = 1 << 20
	var ids []string
	for i := range 30 {
		rec, id := seen(i+1, 100<<10)
		ids = append(ids, id)
		if _, err := s.Append(t.Context(), []results.Record{rec}); err != nil {
			t.Fatal(err)
		}
		if i == 15 {
			s.held.Store(-1) // as after a start
		}
	}
	for i, id := range ids {
		a, err := s.Artifact(t.Context(), id)
		switch {
		case i < 20 && !errors.Is(err, results.ErrNotFound):
			t.Errorf("%d: got %d bytes and %v of an old one, want it deleted", i, len(a.Data), err)
		case i >= 22 && (err != nil || len(a.Data) != 100<<10):
			t.Errorf("%d: got %d bytes and %v of a new one, want it kept", i, len(a.Data), err)
		}
	}
	var held int64
	if err := s.write.QueryRow(size).Scan(&held); err != nil || held > s.evidence || held != s.held.Load() {
		t.Errorf("got %d bytes, counted %d, %v, want at most %d", held, s.held.Load(), err, s.evidence)
	}
	n := 0
	for _, err := range s.Feed(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 30 {
		t.Errorf("got %d results, want all 30", n)
	}
}

func BenchmarkMakeRoom(b *testing.B) {
	s := opened(b)
	s.evidence = 64 << 20
	for i := 0; b.Loop(); i++ {
		data := bytes.Repeat(fmt.Appendf(nil, "%08d", i), 8<<10)
		rec := storetest.At("journey", i, results.Critical)
		rec.Result.Steps = []results.Step{{Name: "pay", Artifacts: []results.Artifact{{ID: fmt.Sprint(i), Name: "failure", MediaType: "image/png", Data: data}}}}
		if _, err := s.Append(b.Context(), []results.Record{rec}); err != nil {
			b.Fatal(err)
		}
	}
}
