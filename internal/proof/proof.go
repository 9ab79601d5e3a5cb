// Package proof is what the tests of several packages share: how they treat what a
// machine lacks, and how they keep an expected text. No program may import it.
package proof

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected texts") //nolint:gochecknoglobals // a flag of go test

// Lacks ends a test whose real part is missing: under CI it fails, elsewhere it is
// skipped. what says how to get the part.
func Lacks(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" { //nolint:forbidigo // tests alone ask
		tb.Fatal(what)
	}
	tb.Skip(what)
}

// Golden holds got to the text in a file, which go test -update rewrites.
func Golden(tb testing.TB, file, got string) {
	tb.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // part of the source
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // as above
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(file) //nolint:gosec // the test names it
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s (- want, + got; if it is meant: go test -update):\n%s", file, diff)
	}
}
