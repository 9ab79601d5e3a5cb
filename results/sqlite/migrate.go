package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

// files are the steps from an empty file to the present schema, in order of their
// names. One that was released is never changed; a new one is added after it.
//
//go:embed migrations/*.sql
var files embed.FS

// mark is "Fore" in ASCII: the application_id that tells our files from others.
const mark = 0x466f7265

// migrate applies what the file has not seen yet, in one transaction.
func migrate(ctx context.Context, db *sql.DB) error {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return err
	}
	if done, err := version(ctx, db, len(names)); err != nil || done == len(names) {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()                       //nolint:errcheck // after Commit it has nothing to do
	done, err := version(ctx, tx, len(names)) // another process may have been faster
	if err != nil {
		return err
	}
	for i, name := range names[done:] {
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		// A PRAGMA takes no parameters; these are numbers of our own.
		script := fmt.Sprintf("%s; PRAGMA user_version = %d; PRAGMA application_id = %d;", text, done+i+1, mark)
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return tx.Commit()
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version returns how many migrations the file has seen, at most known.
func version(ctx context.Context, db querier, known int) (int, error) {
	var done, owner, tables int
	err := db.QueryRowContext(ctx, `SELECT
		(SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&done, &owner, &tables)
	switch {
	case err != nil:
		return 0, err
	case owner != mark && (tables > 0 || done > 0):
		return 0, fmt.Errorf("got the database of another program, want one of Foreshock or no file: name another file")
	case done > known:
		return 0, fmt.Errorf("got schema %d, want at most %d: the file was written by a newer Foreshock, use that one", done, known)
	}
	return done, nil
}
