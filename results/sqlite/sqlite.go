// Package sqlite keeps records in one SQLite file: the log, the outbox and the
// history of a single machine, without cgo. What Append has acknowledged is on the
// disk. It must never interpret what it keeps, nor delete a record that a sink has
// not read.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // also registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/foreshock/foreshock/results"
)

const (
	// lockWait is how long one process waits for another one that writes.
	lockWait = 10 * time.Second
	// readers is how many reads may go on at once.
	readers = 4
)

// A Store is a results.Store in one file. Several goroutines, and several processes
// on one machine, may use the same file.
type Store struct {
	path   string
	write  *sql.DB // one connection: there is one writer at a time anyway
	read   *sql.DB
	insert inserts

	evidence int64        // bytes of it that are kept
	held     atomic.Int64 // bytes of it that there are; -1 is not counted yet
}

var (
	_ results.Store   = (*Store)(nil)
	_ results.Cursors = (*Store)(nil)
)

// Open opens the file at path, creates it if there is none, and brings an older one
// up to date. It refuses a file of another program and one of a newer Foreshock. It
// keeps the newest [DefaultEvidence] of evidence.
func Open(ctx context.Context, path string) (*Store, error) {
	return OpenKeeping(ctx, path, DefaultEvidence)
}

// OpenKeeping is [Open] of a store that keeps the newest evidence, as many bytes as said,
// and deletes what is older. Results stay.
func OpenKeeping(ctx context.Context, path string, evidence int64) (*Store, error) {
	s := &Store{path: path, evidence: evidence}
	s.held.Store(-1)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(s.fail("open", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := touch(s.path); err != nil {
		return err
	}
	if s.write, err = connect(s.path, 1, "synchronous(FULL)"); err != nil {
		return err
	}
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	if err := walMode(ctx, s.write); err != nil {
		return err
	}
	if s.insert, err = prepare(ctx, s.write); err != nil {
		return err
	}
	s.read, err = connect(s.path, readers, "query_only(1)")
	return err
}

// touch makes the file readable by its owner alone: results tell of the inside of a system.
func touch(path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("directory %s: not there, create it first", dir)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return f.Close()
}

func connect(path string, limit int, pragma string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: url.Values{
		"_txlock": {"immediate"},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()), pragma},
	}.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(limit)
	db.SetMaxIdleConns(limit)
	return db, nil
}

// walMode lets reads go on while one process writes. The mode stays with the file.
func walMode(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if err == nil && mode != "wal" {
			return fmt.Errorf("journal mode: got %s, want wal: put the file on a local disk", mode)
		}
		if code(err) != sqlite3.SQLITE_BUSY {
			return err
		}
		// Here SQLite does not wait by itself for another process that opens the file, too.
		retry := time.NewTimer(10 * time.Millisecond)
		select {
		case <-retry.C:
		case <-ctx.Done():
			retry.Stop()
			return ctx.Err()
		}
	}
}

// Close ends all reads and writes and releases the file.
func (s *Store) Close() error {
	var errs []error
	s.insert.close()
	for _, db := range []*sql.DB{s.read, s.write} { // the writer last: it folds the log into the file
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return s.fail("close", errors.Join(errs...))
}

// fail names the file, and says what to do where that is known.
func (s *Store) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		hint = ": free space on its disk; what was stored is safe"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		hint = fmt.Sprintf(": another process wrote for more than %v", lockWait)
	case sqlite3.SQLITE_CORRUPT:
		hint = ": the file is damaged; restore a copy, or move it away for a new one to be made"
	case sqlite3.SQLITE_NOTADB:
		hint = ": it was not made by Foreshock; name another file"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		hint = ": allow writing to it and to its directory"
	}
	return fmt.Errorf("store %s: %s: %w%s", s.path, doing, err, hint)
}

// code returns SQLite's primary result code of err, or 0.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

func nanos(t time.Time) int64      { return t.UnixNano() }
func moment(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }
