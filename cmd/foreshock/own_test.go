package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInsideOwn: nobody cuts Foreshock's own dashboard and API by accident, neither by
// hand nor by a scenario, however its configuration writes their address.
func TestInsideOwn(t *testing.T) {
	enterInside(t)
	t.Setenv("SHOP_URL", "http://127.0.0.1:1")
	t.Setenv("PAYMENTS_ADDRESS", "127.0.0.0/8:7777")
	dir := t.TempDir()
	for listen, want := range map[string]string{
		"127.0.0.1:7777": "own 127.0.0.1:7777",
		"localhost:7777": "own 127.0.0.1:7777",
		":7777":          "own [::]:7777",
		"0.0.0.0:7777":   "own 0.0.0.0:7777",
	} {
		file := filepath.Join(dir, "foreshock.yaml")
		if err := os.WriteFile(file, []byte("listen: '"+listen+"'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"fault", "inject", "reject", "--to", "127.0.0.1", "--ports", "7000-8000", "--for", "3s"},
			{"scenario", "run", "testdata/thread.yaml"},
		} {
			var out strings.Builder
			args = append(args, "-c", file, "--audit", filepath.Join(dir, "audit"))
			if code := run(t.Context(), args, &out, &out); code != exitStopped || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "--allow own") {
				t.Errorf("%v, listening on %s: got exit code %d, want %d and %q:\n%s", args, listen, code, exitStopped, want, out.String())
			}
		}
	}
}
