package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/proof"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The namespaces of the inner tests are followed until their process ends.
	followed := goleak.IgnoreAnyFunction("github.com/foreshock/foreshock/internal/isolate.follow.func2")
	goleak.VerifyTestMain(m, followed, goleak.Cleanup(func(code int) {
		if dir, err := built(false); err == nil && dir != "" {
			_ = os.RemoveAll(dir)
		}
		os.Exit(code)
	}))
}

// built builds what ships, as it ships, once for all tests, into a directory that
// every user can read. Unless it is wanted it returns the directory of an earlier call.
var built = func() func(wanted bool) (string, error) {
	var mu sync.Mutex
	var dir string
	return func(wanted bool) (_ string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if dir != "" || !wanted {
			return dir, nil
		}
		if dir, err = os.MkdirTemp("", "foreshock-test-"); err != nil {
			return "", err
		}
		for _, b := range []struct {
			cgo      string
			packages []string
		}{{"0", []string{"../foreshock", "../shop"}}, {"1", []string{"../foreshock-pact"}}} {
			cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", dir}, b.packages...)...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED="+b.cgo)
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", fmt.Errorf("build %v: %w\n%s", b.packages, err, out)
			}
		}
		return dir, os.Chmod(dir, 0o755)
	}
}()

// binaries returns a directory of the test's own with the programs in it.
func binaries(t *testing.T) string {
	t.Helper()
	shared, err := built(true)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(shared, "bin-") //nolint:usetesting // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"foreshock", "foreshock-pact", "shop"} {
		if err := os.Link(filepath.Join(shared, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// need fails under CI, and skips elsewhere, when a program is missing.
func need(t *testing.T, name, install string) {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return
		}
	}
	proof.Lacks(t, name+" is missing: "+install)
}

// pactLibrary is where scripts/setup-pact.sh puts it.
func pactLibrary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../.tools/pact/libpact_ffi.so")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// environ is the environment of a program under test: nothing of the tester's own,
// but what more says.
func environ(more ...string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "GOCOVERDIR=") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}
