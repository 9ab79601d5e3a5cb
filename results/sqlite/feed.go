package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/foreshock/foreshock/results"
)

const feedQuery = `SELECT f.seq, f.received, ` + resultColumns + `, ` + eventColumns + `
	FROM feed f
	LEFT JOIN results r ON r.name = f.name AND r.slot = f.slot AND r.location = f.location AND r.run = f.run
	LEFT JOIN events e ON e.seq = f.seq
	WHERE f.seq > ? ORDER BY f.seq LIMIT ?`

// Feed yields what was appended after the given Seq, in commit order.
func (s *Store) Feed(ctx context.Context, after uint64) iter.Seq2[results.Record, error] {
	return paged(0, func(last *results.Record, n int) ([]results.Record, error) {
		if last != nil {
			after = last.Seq
		}
		page, err := rows(ctx, s.read, record, feedQuery, int64(after), n) //nolint:gosec // SQLite counts no further
		return page, s.fail("feed", err)
	})
}

func record(scan func(...any) error) (results.Record, error) {
	var (
		seq, received int64
		r             resultRow
		e             eventRow
	)
	into := append([]any{&seq, &received}, r.into()...)
	if err := scan(append(into, e.into()...)...); err != nil {
		return results.Record{}, err
	}
	rec := results.Record{Seq: uint64(seq), Received: moment(received)} //nolint:gosec // it counts from 1
	if e.seq.Valid {
		event, err := e.event()
		rec.Event = &event
		return rec, err
	}
	result, err := r.result()
	rec.Result = &result
	return rec, err
}

// Last returns the Seq of the newest record, or 0 if there is none.
func (s *Store) Last(ctx context.Context) (uint64, error) {
	return s.number(ctx, "last", `SELECT coalesce(max(seq), 0) FROM feed`)
}

// Cursor returns the Seq up to which the sink has read the feed; ok is false if it
// never did.
func (s *Store) Cursor(ctx context.Context, sink string) (seq uint64, ok bool, err error) {
	seq, err = s.number(ctx, "cursor", `SELECT seq FROM cursors WHERE sink = ?`, sink)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return seq, err == nil, err
}

// SetCursor remembers that the sink has read the feed up to seq. It never goes back.
func (s *Store) SetCursor(ctx context.Context, sink string, seq uint64) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO cursors VALUES (?, ?)
		ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)`, sink, int64(seq)) //nolint:gosec // SQLite counts no further
	return s.fail("cursor", err)
}

func (s *Store) number(ctx context.Context, doing, query string, args ...any) (uint64, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, query, args...).Scan(&n)
	return uint64(n), s.fail(doing, err) //nolint:gosec // it counts from 1
}
