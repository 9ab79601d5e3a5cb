package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

// Summarize cuts the query's range into buckets. They are cut from Since, or, if
// that is zero, at multiples of width since 1970; one without a result is left out.
// Limit does not narrow. A fault that has no end lasts until the end of the range.
func (s *Store) Summarize(ctx context.Context, q results.Query, width time.Duration) ([]results.Bucket, error) {
	if width < 0 {
		return nil, s.fail("summarize", fmt.Errorf("width: got %v, want at least 0", width))
	}
	faults, err := s.faults(ctx, q)
	if err != nil {
		return nil, s.fail("summarize", err)
	}
	names := []string{q.Check}
	if q.Check == "" {
		if names, err = s.names(ctx); err != nil {
			return nil, s.fail("summarize", err)
		}
	}
	var out []results.Bucket
	for _, name := range names {
		q.Check = name
		buckets, err := s.summarizeCheck(ctx, q, width, faults)
		if err != nil {
			return nil, s.fail("summarize", err)
		}
		out = append(out, buckets...)
	}
	if width == 0 {
		sameRange(out)
	}
	slices.SortStableFunc(out, func(a, b results.Bucket) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Check, b.Check))
	})
	return out, nil
}

// names lists the checks by jumping through the key, however many results each has.
func (s *Store) names(ctx context.Context) ([]string, error) {
	return rows(ctx, s.read, func(scan func(...any) error) (name string, err error) { return name, scan(&name) },
		`WITH RECURSIVE names(name) AS (
			SELECT min(name) FROM results
			UNION ALL
			SELECT (SELECT min(r.name) FROM results r WHERE r.name > names.name) FROM names WHERE names.name IS NOT NULL
		) SELECT name FROM names WHERE name IS NOT NULL`)
}

// A tally is a Bucket while it is counted.
type tally struct {
	results.Bucket
	took []int64
}

func (s *Store) summarizeCheck(ctx context.Context, q results.Query, width time.Duration, faults windows) ([]results.Bucket, error) {
	where, location := narrowed(q), "r.location"
	if len(faults) == 0 {
		location = "NULL" // it is not asked for, and makes a quarter of the cost
	}
	query := `SELECT r.start, r.duration, r.status, r.run <> '', ` + location + ` FROM results r WHERE ` + where.String() + ` ORDER BY r.start` //nolint:gosec // conditions of our own; their values are parameters
	rs, err := s.read.QueryContext(ctx, query, where.args...)
	if err != nil {
		return nil, err
	}
	defer rs.Close() //nolint:errcheck // Err has it
	var out []results.Bucket
	var t tally
	for rs.Next() {
		var start, took, code, forRun int64 // of the one type that is scanned without reflection
		var location sql.RawBytes
		if err := rs.Scan(&start, &took, &code, &forRun, &location); err != nil {
			return nil, err
		}
		status := results.Status(code) //nolint:gosec // Append let 0 to 3 in
		if t.empty() || width > 0 && !moment(start).Before(t.End) {
			out = t.closed(out)
			t = tally{Bucket: bucket(q, width, start), took: t.took[:0]}
		}
		if width == 0 && q.Until.IsZero() {
			t.End = moment(start + 1) // of the last one
		}
		if forRun != 0 || faults.overlap(string(location), start, start+took) {
			t.Planned.Add(status, 1)
			continue
		}
		t.Counts.Add(status, 1)
		if status <= results.Warning {
			t.took = append(t.took, took)
		}
	}
	return t.closed(out), rs.Err()
}

func (t *tally) empty() bool { return t.Counts.Total()+t.Planned.Total() == 0 }

// closed appends the bucket to out, unless it is empty.
func (t *tally) closed(out []results.Bucket) []results.Bucket {
	if t.empty() {
		return out
	}
	slices.Sort(t.took)
	t.P50, t.P95, t.P99 = nearestRank(t.took, 50), nearestRank(t.took, 95), nearestRank(t.took, 99)
	return append(out, t.Bucket)
}

// bucket makes the one that start falls into.
func bucket(q results.Query, width time.Duration, start int64) results.Bucket {
	b := results.Bucket{Check: q.Check, Start: q.Since, End: q.Until}
	if width > 0 {
		from := int64(0)
		if !q.Since.IsZero() {
			from = nanos(q.Since)
		}
		offset := (start - from) % int64(width)
		if offset < 0 {
			offset += int64(width)
		}
		b.Start = moment(start - offset)
		b.End = b.Start.Add(width)
		if !q.Until.IsZero() && q.Until.Before(b.End) {
			b.End = q.Until
		}
	} else if b.Start.IsZero() {
		b.Start = moment(start)
	}
	b.Start, b.End = b.Start.UTC(), b.End.UTC()
	return b
}

// sameRange gives all checks the widest range, where the query left it open.
func sameRange(buckets []results.Bucket) {
	if len(buckets) == 0 {
		return
	}
	start, end := buckets[0].Start, buckets[0].End
	for _, b := range buckets {
		if b.Start.Before(start) {
			start = b.Start
		}
		if b.End.After(end) {
			end = b.End
		}
	}
	for i := range buckets {
		buckets[i].Start, buckets[i].End = start, end
	}
}

// nearestRank returns the smallest value that at least percent of all do not exceed.
func nearestRank(sorted []int64, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (percent*len(sorted) + 99) / 100 // rounded up, exactly
	return time.Duration(sorted[rank-1])
}

// windows holds, by location, the times in which a planned fault was armed: apart
// from each other and in order.
type windows map[string][]window

type window struct{ from, to int64 }

func (s *Store) faults(ctx context.Context, q results.Query) (windows, error) {
	w := windows{}
	// A run that began before a fault may reach into it, so events after Until count too.
	for e, err := range s.events(ctx, results.EventFault, results.Query{Since: q.Since}) {
		if err != nil {
			return nil, err
		}
		to := int64(math.MaxInt64)
		if e.ended.Valid {
			to = e.ended.Int64
		}
		w[e.location.String] = append(w[e.location.String], window{e.start.Int64, to})
	}
	for location, all := range w {
		w[location] = merged(all)
	}
	return w, nil
}

func merged(all []window) []window {
	slices.SortFunc(all, func(a, b window) int { return cmp.Compare(a.from, b.from) })
	out := all[:1]
	for _, v := range all[1:] {
		if last := &out[len(out)-1]; v.from <= last.to {
			last.to = max(last.to, v.to)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// overlap reports whether [from, to] touches a window.
func (w windows) overlap(location string, from, to int64) bool {
	all := w[location]
	// The first window that does not end before from.
	i, _ := slices.BinarySearchFunc(all, from, func(v window, from int64) int { return cmp.Compare(v.to, from) })
	return i < len(all) && all[i].from <= to
}
