package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/sqlite"
	"github.com/foreshock/foreshock/results/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) results.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "a?b#c d%20.db")) // a name that a URI would misread
	})
}

func count(t *testing.T, s *sqlite.Store) (n int) {
	t.Helper()
	for _, err := range s.Feed(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestReopenKeepsAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.db")
	s := open(t, path)
	fresh, err := s.Append(t.Context(), []results.Record{storetest.At("a", 0, results.OK)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCursor(t.Context(), "influx", 7); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if n := count(t, s); n != 1 {
		t.Errorf("after reopening: got %d records, want 1", n)
	}
	if last, err := s.Last(t.Context()); err != nil || last != fresh[0].Seq {
		t.Errorf("last: got %d, %v, want %d", last, err, fresh[0].Seq)
	}
	if seq, ok, err := s.Cursor(t.Context(), "influx"); seq != 7 || !ok || err != nil {
		t.Errorf("cursor: got %d, %v, %v, want 7", seq, ok, err)
	}
	if _, ok, err := s.Cursor(t.Context(), "new"); ok || err != nil {
		t.Errorf("cursor of a new sink: got %v, %v, want none", ok, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: got %v, %v, want it readable by its owner alone", info.Mode(), err)
	}
}

func TestTwoStoresOnOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.db")
	var wg sync.WaitGroup
	const stores, each = 6, 20
	for i := range stores {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), path) // all of them find no file
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for j := range each {
				if _, err := s.Append(t.Context(), []results.Record{storetest.At(fmt.Sprint("c", i), j, results.OK)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, open(t, path)); n != stores*each {
		t.Errorf("got %d records, want %d", n, stores*each)
	}
}

func TestRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	with := func(name string, statements ...string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	newer := filepath.Join(dir, "newer.db")
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	with("newer.db", "PRAGMA user_version = 99")
	damaged := filepath.Join(dir, "damaged.db")
	s := open(t, damaged)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b[100:] {
		b[100+i] = 0xff
	}
	write("damaged.db", string(b))
	for _, tc := range []struct{ path, want string }{
		{write("text.db", strings.Repeat("not a database ", 100)), "it was not made by Foreshock; name another file"},
		{with("foreign.db", "CREATE TABLE t (a)"), "got the database of another program"},
		{newer, "got schema 99, want at most 1: the file was written by a newer Foreshock"},
		{damaged, "the file is damaged"},
		{filepath.Join(dir, "absent", "f.db"), "absent: not there, create it first"},
		{dir, "is a directory"},
	} {
		before, _ := os.ReadFile(tc.path)
		s, err := sqlite.Open(t.Context(), tc.path)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path) {
			t.Errorf("open %s: got %v, want %q", tc.path, err, tc.want)
		}
		if after, _ := os.ReadFile(tc.path); string(after) != string(before) {
			t.Errorf("open %s: the refused file was changed", tc.path)
		}
	}
}

var child = flag.String("child", "", "write to the store at this path until killed")

// TestWriterChild is the other process of TestKilledWriterLosesNothing.
func TestWriterChild(t *testing.T) {
	if *child == "" {
		t.Skip("only as a child of TestKilledWriterLosesNothing")
	}
	s := open(t, *child)
	for i := 0; ; i++ {
		if _, err := s.Append(t.Context(), []results.Record{storetest.At("a", i, results.OK), storetest.At("b", i, results.OK)}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("ack", i)
	}
}

func TestKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.db")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestWriterChild$", "-child", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ack ") {
			acked++
		}
		if acked == 100 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if acked < 100 {
		t.Fatalf("the child acknowledged %d batches, want at least 100", acked)
	}
	if n := count(t, open(t, path)); n < 2*acked || n%2 != 0 || n > 2*acked+2 {
		t.Errorf("got %d records after %d acknowledged batches of two, want all of them and at most one more whole batch", n, acked)
	}
}

func TestAppendStopsWaitingForAnotherProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.db")
	s := open(t, path)
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1e8)
	defer cancel()
	if _, err := s.Append(ctx, []results.Record{storetest.At("a", 0, results.OK)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("append beside a lock: got %v, want context.DeadlineExceeded", err)
	}
	if n := count(t, s); n != 0 {
		t.Errorf("got %d records, want reads to go on", n)
	}
	if _, err := other.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []results.Record{storetest.At("a", 0, results.OK)}); err != nil {
		t.Errorf("append after the lock: %v", err)
	}
}
