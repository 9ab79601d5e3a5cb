package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// pageLen is how many rows are read at once. No connection is held and no snapshot
// kept while the caller works on them, however long that takes.
const pageLen = 500

// A narrow collects the conditions of a query and what they are compared with.
type narrow struct {
	where []string
	args  []any
}

func (n *narrow) add(condition string, args ...any) {
	n.where = append(n.where, condition)
	n.args = append(n.args, args...)
}

func (n *narrow) String() string {
	if len(n.where) == 0 {
		return "1"
	}
	return strings.Join(n.where, " AND ")
}

// paged yields what page returns until it returns less than it was asked for, an
// error, or limit is reached; a limit of 0 is none. page is given the last value.
func paged[T any](limit int, page func(last *T, n int) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last *T
		for left := limit; limit == 0 || left > 0; left -= pageLen {
			n := pageLen
			if limit > 0 {
				n = min(n, left)
			}
			rows, err := page(last, n)
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if len(rows) < n {
				return
			}
			last = &rows[len(rows)-1]
		}
	}
}

// rows runs a query and reads its rows.
func rows[T any](ctx context.Context, db *sql.DB, read func(scan func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rs, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rs.Close() //nolint:errcheck // Err has it
	var out []T
	for rs.Next() {
		v, err := read(rs.Scan)
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, rs.Err()
}

const resultColumns = `r.name, r.slot, r.location, r.run, r.kind, r.start, r.duration, r.status, r.cause, r.message, r.steps, r.labels`

// A resultRow is where a row of results is scanned into; all of it may be null in the feed.
type resultRow struct {
	name, location, run, kind, cause, message, steps, labels sql.NullString
	slot, start, duration, status                            sql.NullInt64
}

func (r *resultRow) into() []any {
	return []any{
		&r.name, &r.slot, &r.location, &r.run, &r.kind, &r.start, &r.duration, &r.status,
		&r.cause, &r.message, &r.steps, &r.labels,
	}
}

func (r *resultRow) result() (res results.Result, err error) {
	res = results.Result{
		Key: results.Key{
			Check: r.name.String, Location: r.location.String, Slot: moment(r.slot.Int64), Run: r.run.String,
		},
		Kind: r.kind.String, Start: moment(r.start.Int64), Duration: time.Duration(r.duration.Int64),
		Status: results.Status(r.status.Int64), Cause: results.Cause(r.cause.String), Message: r.message.String, //nolint:gosec // Append let 0 to 3 in
	}
	if res.Steps, err = unpackSteps(r.steps.String); err != nil {
		return res, fmt.Errorf("steps of %s at %v: %w", res.Check, res.Slot, err)
	}
	if res.Labels, err = unpackLabels(r.labels.String); err != nil {
		return res, fmt.Errorf("labels of %s at %v: %w", res.Check, res.Slot, err)
	}
	return res, nil
}

// Select yields results, newest start first.
func (s *Store) Select(ctx context.Context, q results.Query) iter.Seq2[results.Result, error] {
	return paged(q.Limit, func(last *results.Result, n int) ([]results.Result, error) {
		where := narrowed(q)
		if last != nil {
			where.add("(r.start, r.name, r.slot, r.location, r.run) < (?, ?, ?, ?, ?)",
				nanos(last.Start), last.Check, nanos(last.Slot), last.Location, last.Run)
		}
		page, err := rows(ctx, s.read, func(scan func(...any) error) (results.Result, error) {
			var row resultRow
			if err := scan(row.into()...); err != nil {
				return results.Result{}, err
			}
			return row.result()
		}, `SELECT `+resultColumns+` FROM results r WHERE `+where.String()+`
			ORDER BY r.start DESC, r.name DESC, r.slot DESC, r.location DESC, r.run DESC LIMIT ?`, append(where.args, n)...)
		return page, s.fail("select", err)
	})
}

func narrowed(q results.Query) *narrow {
	where := &narrow{}
	if q.Check != "" {
		where.add("r.name = ?", q.Check)
	}
	if q.Run != "" {
		where.add("r.run = ? AND r.run <> ''", q.Run) // the second half lets SQLite use the partial index
	}
	if !q.Since.IsZero() {
		where.add("r.start >= ?", nanos(q.Since))
	}
	if !q.Until.IsZero() {
		where.add("r.start < ?", nanos(q.Until))
	}
	return where
}

const eventColumns = `e.seq, e.kind, e.subject, e.run, e.location, e.start, e.ended, e.text, e.labels`

// An eventRow is where a row of events is scanned into.
type eventRow struct {
	seq, start, ended                          sql.NullInt64
	kind, subject, run, location, text, labels sql.NullString
}

func (r *eventRow) into() []any {
	return []any{&r.seq, &r.kind, &r.subject, &r.run, &r.location, &r.start, &r.ended, &r.text, &r.labels}
}

func (r *eventRow) event() (e results.Event, err error) {
	e = results.Event{
		Kind: r.kind.String, Subject: r.subject.String, Run: r.run.String, Location: r.location.String,
		Start: moment(r.start.Int64), Text: r.text.String,
	}
	if r.ended.Valid {
		e.End = moment(r.ended.Int64)
	}
	if e.Labels, err = unpackLabels(r.labels.String); err != nil {
		err = fmt.Errorf("labels of %s %s: %w", e.Kind, e.Subject, err)
	}
	return e, err
}

// latest leaves out the row that opened an event which another row closes.
const latest = `(e.ended IS NOT NULL OR NOT EXISTS (SELECT 1 FROM events c WHERE c.kind = e.kind AND c.subject = e.subject
	AND c.run = e.run AND c.location = e.location AND c.start = e.start AND c.ended IS NOT NULL))`

// Events yields events, newest start first.
func (s *Store) Events(ctx context.Context, q results.Query) iter.Seq2[results.Event, error] {
	return func(yield func(results.Event, error) bool) {
		for row, err := range s.events(ctx, "", q) {
			var e results.Event
			if err == nil {
				e, err = row.event()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (s *Store) events(ctx context.Context, kind string, q results.Query) iter.Seq2[eventRow, error] {
	return paged(q.Limit, func(last *eventRow, n int) ([]eventRow, error) {
		where := &narrow{}
		where.add(latest)
		if kind != "" {
			where.add("e.kind = ?", kind)
		}
		if q.Run != "" {
			where.add("e.run = ?", q.Run)
		}
		if !q.Since.IsZero() {
			where.add("(e.ended IS NULL OR e.ended >= ?)", nanos(q.Since))
		}
		if !q.Until.IsZero() {
			where.add("e.start < ?", nanos(q.Until))
		}
		if last != nil {
			where.add("(e.start, e.seq) < (?, ?)", last.start.Int64, last.seq.Int64)
		}
		page, err := rows(ctx, s.read, func(scan func(...any) error) (row eventRow, err error) {
			return row, scan(row.into()...)
		}, `SELECT `+eventColumns+` FROM events e WHERE `+where.String()+` ORDER BY e.start DESC, e.seq DESC LIMIT ?`, append(where.args, n)...)
		return page, s.fail("events", err)
	})
}

// Artifact returns the data kept under id, with the name and the media type under
// which it was first stored, or results.ErrNotFound.
func (s *Store) Artifact(ctx context.Context, id string) (results.Artifact, error) {
	a := results.Artifact{ID: id}
	err := s.read.QueryRowContext(ctx, `SELECT name, media_type, data FROM artifacts WHERE id = ?`, id).Scan(&a.Name, &a.MediaType, &a.Data)
	if errors.Is(err, sql.ErrNoRows) {
		return results.Artifact{}, fmt.Errorf("artifact %q: %w", id, results.ErrNotFound)
	}
	if err != nil {
		return results.Artifact{}, s.fail("artifact", err)
	}
	a.Data = slices.Clip(a.Data)
	return a, nil
}
