package faults_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
)

// Another program that holds the lock of the older backend is waited for some seconds,
// or as long as the caller wants, and then named; nothing is half installed.
func TestLockThatIsNotLetGo(t *testing.T) {
	legacy := &faults.Injector{Suffix: "legacy"}
	if _, err := legacy.List(t.Context()); err != nil {
		proof.Lacks(t, "iptables-legacy does not work here: "+err.Error())
	}
	path := filepath.Join(t.TempDir(), "lock")
	t.Setenv("XTABLES_LOCKFILE", path)
	file, err := os.Create(path)
	must(t, err)
	defer file.Close()
	must(t, unix.Flock(int(file.Fd()), unix.LOCK_EX))

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := legacy.Install(ctx, build(t, "drop", "to: 127.0.0.1:9"), minute("lock")); err == nil {
		t.Error("installed under a foreign lock")
	}
	t.Logf("gave up after %v", time.Since(start))
	_, err = legacy.Install(t.Context(), build(t, "drop", "to: 127.0.0.1:9"), minute("lock"))
	if status, _ := results.Judge(err); status != results.Unknown || !strings.Contains(err.Error(), "another program has held the xtables lock") {
		t.Errorf("got %v: %v", status, err)
	}
	must(t, unix.Flock(int(file.Fd()), unix.LOCK_UN))
	if list, err := legacy.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("left %+v, %v", list, err)
	}
}
