package faults_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/proof"
)

// asNobody prepares a command as an ordinary user's with some capabilities.
func asNobody(t *testing.T, order ownerOrder, capabilities ...uintptr) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	if text, err := os.ReadFile("/proc/self/uid_map"); err != nil || len(strings.Fields(string(text))) < 3 || strings.Fields(string(text))[2] == "1" {
		proof.Lacks(t, "no second user here: run the tests as root (sudo make test)")
	}
	b, err := json.Marshal(order)
	must(t, err)
	// The binary may lie where nobody may go; a descriptor of it is open to all.
	dir, err := os.MkdirTemp("/tmp", "nobody") //nolint:usetesting // where nobody may go, too
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "owner")
	// Copied by another process: a child of this one could hold the file open for writing.
	must(t, exec.Command("cp", "/proc/"+strconv.Itoa(os.Getpid())+"/exe", path).Run())
	c := exec.Command(path, "-faults.owner="+string(b))
	c.Dir = "/"
	const nobody = 65534
	c.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true},
		AmbientCaps: capabilities,
	}
	var stderr strings.Builder
	c.Stderr = &stderr
	return c, &stderr
}

// CAP_NET_ADMIN and CAP_NET_RAW are enough, for the default backend; without them, the
// message says which is missing.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	order := ownerOrder{Kind: "drop", Settings: "{to: " + to + ", established: reset}", Options: minute("nobody"), Heal: true}
	for name, c := range map[string]struct {
		capabilities []uintptr
		says         string
	}{
		"both":       {[]uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW}, ""},
		"admin only": {[]uintptr{unix.CAP_NET_ADMIN}, ""},
		"none":       {nil, "CAP_NET_ADMIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, stderr := asNobody(t, order, c.capabilities...)
			out, err := cmd.Output()
			switch {
			case c.says == "" && (err != nil || !strings.Contains(string(out), "armed")):
				t.Errorf("got %v: %s%s", err, out, stderr)
			case c.says != "" && (err == nil || !strings.Contains(stderr.String(), c.says)):
				t.Errorf("got %v: %s, want %s named", err, stderr, c.says)
			}
		})
	}
}
