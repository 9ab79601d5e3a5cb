package sqlite

import (
	"fmt"
	"slices"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/foreshock/foreshock/results"
)

// DefaultEvidence is how much evidence a store keeps if nothing is said, in bytes.
const DefaultEvidence = 1 << 30

// withoutEvidence returns the batch without the data of artifacts, and whether it had any.
func withoutEvidence(batch []results.Record, why string) ([]results.Record, bool) {
	out, had := slices.Clone(batch), false
	for i, rec := range out {
		if rec.Result != nil && rec.Result.Size() > 0 {
			out[i].Result, had = rec.Result.WithoutEvidence(why), true
		}
	}
	return out, had
}

// full reports whether err may come from a disk that has no space left.
func full(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_FULL || c == sqlite3.SQLITE_IOERR
}

// size is how many bytes of evidence the file holds. SQLite reads no data for it.
const size = `SELECT coalesce(sum(length(data)), 0) FROM artifacts`

// oldest deletes the evidence that came before the newest so many bytes.
const oldest = `DELETE FROM artifacts WHERE rowid <= (
	SELECT rowid FROM (SELECT rowid, sum(length(data)) OVER (ORDER BY rowid DESC) AS newer FROM artifacts)
	WHERE newer > ? ORDER BY rowid DESC LIMIT 1)`

// makeRoom deletes the oldest evidence once there is more than the store may keep, and a
// tenth more, so that this is seldom. It returns how much there is.
func (a *appender) makeRoom(held, most int64) (int64, error) {
	if held >= 0 && held+a.added <= most {
		return held + a.added, nil
	}
	count := func() error { return a.tx.QueryRowContext(a.ctx, size).Scan(&held) }
	if err := count(); err != nil || held <= most {
		return held, err
	}
	if _, err := a.tx.ExecContext(a.ctx, oldest, most-most/10); err != nil {
		return 0, fmt.Errorf("old evidence: %w", err)
	}
	return held, count()
}
