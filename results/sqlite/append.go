package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

// inserts are the statements of Append, compiled once.
type inserts struct {
	result, event, feed, artifact *sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB) (in inserts, err error) {
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&in.result, `INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&in.event, `INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&in.feed, `INSERT INTO feed (received, name, slot, location, run) VALUES (?, ?, ?, ?, ?)`},
		{&in.artifact, `INSERT INTO artifacts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`},
	} {
		if *s.to, err = db.PrepareContext(ctx, s.text); err != nil { //nolint:sqlclosecheck // inserts.close does
			return in, err
		}
	}
	return in, nil
}

// in returns the statements as part of tx, which closes them.
func (in inserts) in(ctx context.Context, tx *sql.Tx) inserts {
	return inserts{
		tx.StmtContext(ctx, in.result), tx.StmtContext(ctx, in.event),
		tx.StmtContext(ctx, in.feed), tx.StmtContext(ctx, in.artifact),
	}
}

func (in inserts) close() {
	for _, s := range []*sql.Stmt{in.result, in.event, in.feed, in.artifact} {
		if s != nil {
			_ = s.Close() // the connection is about to be closed as well
		}
	}
}

// Append stores the batch, as results.Store says. A record that can never be stored
// makes it fail as a whole. If the disk has no space for evidence, results go without.
func (s *Store) Append(ctx context.Context, batch []results.Record) ([]results.Record, error) {
	if err := ctx.Err(); err != nil || len(batch) == 0 {
		return nil, s.fail("append", err)
	}
	for i, r := range batch {
		if err := r.Validate(); err != nil {
			return nil, s.fail("append", fmt.Errorf("record %d: %w", i, err))
		}
	}
	fresh, err := s.append(ctx, batch)
	if full(err) {
		if bare, had := withoutEvidence(batch, "the disk of the store is full"); had {
			fresh, err = s.append(ctx, bare)
		}
	}
	return fresh, s.fail("append", err)
}

func (s *Store) append(ctx context.Context, batch []results.Record) ([]results.Record, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	// The transaction ends with ctx. Its statements need not watch it as well, which
	// would cost a goroutine each.
	own := context.WithoutCancel(ctx)
	a := &appender{ctx: own, tx: tx, insert: s.insert.in(own, tx), received: time.Now().UTC().Round(0)}
	fresh := make([]results.Record, 0, len(batch))
	for _, rec := range batch {
		if rec.Result != nil {
			rec.Seq, err = a.result(rec.Result)
			rec.Result = withoutData(rec.Result)
		} else {
			rec.Seq, err = a.event(rec.Event)
		}
		if err != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		if rec.Seq > 0 {
			rec.Received = a.received
			fresh = append(fresh, rec)
		}
	}
	held := s.held.Load()
	if a.added > 0 {
		if held, err = a.makeRoom(held, s.evidence); err != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
	}
	s.held.Store(held) // while no other Append goes on
	if err := tx.Commit(); err != nil {
		s.held.Store(-1)
		return nil, err
	}
	return fresh, nil
}

// An appender writes one batch. Its methods return the place in the feed, or 0 for
// what is known already.
type appender struct {
	ctx      context.Context //nolint:containedctx // it lives as long as one call of Append
	tx       *sql.Tx
	insert   inserts
	received time.Time
	added    int64 // bytes of evidence
}

func (a *appender) result(r *results.Result) (uint64, error) {
	steps, err := packSteps(r.Steps)
	if err != nil {
		return 0, fmt.Errorf("steps of %s: %w", r.Check, err)
	}
	labels, err := packLabels(r.Labels)
	if err != nil {
		return 0, fmt.Errorf("labels of %s: %w", r.Check, err)
	}
	done, err := a.exec(a.insert.result, r.Check, nanos(r.Slot), r.Location, r.Run, r.Kind, nanos(r.Start),
		int64(r.Duration), int64(r.Status), string(r.Cause), r.Message, steps, labels)
	if err != nil {
		return 0, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	for _, step := range r.Steps {
		for _, f := range step.Artifacts {
			if f.Data == nil { // only named: it was stored with another result
				continue
			}
			if err := a.artifact(f); err != nil {
				return 0, err
			}
		}
	}
	return a.feed(r.Check, nanos(r.Slot), r.Location, r.Run)
}

func (a *appender) artifact(f results.Artifact) error {
	done, err := a.exec(a.insert.artifact, f.ID, f.Name, f.MediaType, f.Data)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	a.added += n * int64(len(f.Data))
	return err
}

// known asks for an event's row that makes another one nothing new: of one that
// lasts any row, of one that ends the row that closed it.
const known = `SELECT EXISTS (SELECT 1 FROM events WHERE kind = ? AND subject = ? AND run = ? AND location = ?
	AND start = ? AND (? OR ended IS NOT NULL))`

func (a *appender) event(e *results.Event) (uint64, error) {
	var old bool
	lasts := e.End.IsZero()
	err := a.tx.QueryRowContext(a.ctx, known, e.Kind, e.Subject, e.Run, e.Location, nanos(e.Start), lasts).Scan(&old)
	if err != nil || old {
		return 0, err
	}
	labels, err := packLabels(e.Labels)
	if err != nil {
		return 0, fmt.Errorf("labels of %s %s: %w", e.Kind, e.Subject, err)
	}
	seq, err := a.feed(nil, nil, nil, nil)
	if err != nil {
		return 0, err
	}
	end := sql.NullInt64{Int64: nanos(e.End), Valid: !lasts}
	_, err = a.exec(a.insert.event, int64(seq), e.Kind, e.Subject, e.Run, e.Location, nanos(e.Start), end, e.Text, labels) //nolint:gosec // SQLite counts no further
	return seq, err
}

func (a *appender) feed(name, slot, location, run any) (uint64, error) {
	done, err := a.exec(a.insert.feed, nanos(a.received), name, slot, location, run)
	if err != nil {
		return 0, err
	}
	seq, err := done.LastInsertId()
	return uint64(seq), err //nolint:gosec // it counts from 1
}

func (a *appender) exec(stmt *sql.Stmt, args ...any) (sql.Result, error) {
	return stmt.ExecContext(a.ctx, args...)
}

// withoutData returns r with the names of its artifacts alone, as a reader gets it.
func withoutData(r *results.Result) *results.Result {
	has := func(s results.Step) bool {
		return slices.ContainsFunc(s.Artifacts, func(a results.Artifact) bool { return a.Data != nil })
	}
	if !slices.ContainsFunc(r.Steps, has) {
		return r
	}
	c := *r
	c.Steps = slices.Clone(r.Steps)
	for i := range c.Steps {
		c.Steps[i].Artifacts = slices.Clone(c.Steps[i].Artifacts)
		for j := range c.Steps[i].Artifacts {
			c.Steps[i].Artifacts[j].Data = nil
		}
	}
	return &c
}
