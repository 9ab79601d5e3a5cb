package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/storetest"
)

func opened(tb testing.TB) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), filepath.Join(tb.TempDir(), "f.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// A file that may not grow fails as a full disk does.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := opened(t)
	limit := func(pages int) {
		if _, err := s.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(40)
	acked := 0
	var failure error
	for i := range 1000 {
		r := storetest.At("a", i, results.OK)
		r.Result.Message = strings.Repeat("x", 500)
		if _, failure = s.Append(t.Context(), []results.Record{r}); failure != nil {
			break
		}
		acked++
	}
	if failure == nil || !strings.Contains(failure.Error(), "free space on its disk") || !strings.Contains(failure.Error(), s.path) {
		t.Fatalf("full: got %v, want an error that names the file and says what to do", failure)
	}
	limit(1 << 30)
	if _, err := s.Append(t.Context(), []results.Record{storetest.At("b", 0, results.OK)}); err != nil {
		t.Fatalf("after there is space again: %v", err)
	}
	n := 0
	for _, err := range s.Feed(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != acked+1 {
		t.Errorf("got %d records, want the %d acknowledged and one more", n, acked)
	}
}

// A process that is killed shows nothing of this; a machine that loses power does.
func TestCommitsReachTheDisk(t *testing.T) {
	t.Parallel()
	var level int
	var mode string
	err := opened(t).write.QueryRow(`SELECT * FROM pragma_synchronous, pragma_journal_mode`).Scan(&level, &mode)
	if err != nil || level != 2 || mode != "wal" {
		t.Errorf("got synchronous %d, journal %s, %v, want 2 (full) and wal", level, mode, err)
	}
}

// The queries that run often must not read the whole table.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	s := opened(t)
	now := time.Now()
	for _, tc := range []struct {
		q    results.Query
		want string
	}{
		{results.Query{}, "INDEX results_by_start"},
		{results.Query{Since: now, Until: now}, "INDEX results_by_start (start>? AND start<?)"},
		{results.Query{Check: "a", Since: now}, "results_by_check (name=? AND start>?)"},
		{results.Query{Run: "r"}, "INDEX results_by_run (run=?)"},
	} {
		where := narrowed(tc.q)
		plan, err := rows(t.Context(), s.read, func(scan func(...any) error) (string, error) {
			var id, parent, unused int
			var text string
			return text, scan(&id, &parent, &unused, &text)
		}, `EXPLAIN QUERY PLAN SELECT `+resultColumns+` FROM results r WHERE `+where.String()+`
			ORDER BY r.start DESC, r.name DESC, r.slot DESC, r.location DESC, r.run DESC LIMIT 10`, where.args...)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(plan, "; ")
		if !strings.Contains(got, tc.want) || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%+v: got %s, want %s and no sorting", tc.q, got, tc.want)
		}
	}
}

func fill(b *testing.B, s *Store, checks, rows int) {
	b.Helper()
	var batch []results.Record
	for i := range rows {
		batch = append(batch, sample(fmt.Sprintf("check-%03d", i%checks), i))
		if len(batch) == 1000 || i == rows-1 {
			if _, err := s.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

// sample is a result as an HTTP check makes it.
func sample(check string, i int) results.Record {
	r := storetest.At(check, i, results.OK)
	r.Result.Duration = time.Duration(i*7919%100_000) * time.Microsecond
	r.Result.Labels = map[string]string{"team": "shop"}
	for _, phase := range []string{"resolve", "connect", "tls", "processing", "transfer"} {
		r.Result.Steps = append(r.Result.Steps, results.Step{Name: phase, Offset: time.Millisecond, Duration: 3456789})
	}
	r.Result.Steps[3].Values = map[string]float64{"status_code": 200, "bytes": 5123}
	return r
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			s := opened(b)
			batch := make([]results.Record, size)
			n := 0
			for b.Loop() {
				for i := range batch {
					batch[i] = sample(fmt.Sprintf("check-%03d", n%200), n/200)
					n++
				}
				if _, err := s.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkSummarize(b *testing.B) {
	for _, checks := range []int{1, 100} {
		b.Run(fmt.Sprint("rows=100000/checks=", checks), func(b *testing.B) {
			s := opened(b)
			fill(b, s, checks, 100_000)
			for b.Loop() {
				if _, err := s.Summarize(b.Context(), results.Query{}, 24*time.Hour); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
