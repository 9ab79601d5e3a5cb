package journeys

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
)

// A page whose script never ends cannot be looked at, and harms no other run.
func TestHungPage(t *testing.T) {
	p := warm(t)
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<title>Spin</title><script>setTimeout(() => { for (;;); }, 50)</script>")
	}))
	t.Cleanup(s.Close)
	hung := write(t, s.URL, "steps: [{step: only, timeout: 1s, do: [{open: \"${base}\"}, {wait_for: \"#late\"}]}]")
	good := one(t, serve(t), "/", "see: Mugs")
	var wg sync.WaitGroup
	wg.Go(func() {
		wantResult(t, walk(t, p, hung, 60*time.Second), results.Unknown, results.CauseBrowser, "the page hangs")
	})
	wg.Go(func() { wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "") })
	wg.Wait()
}

func TestNoMemory(t *testing.T) {
	t.Parallel()
	a := newAdmission(2, func() (int64, bool) { return 100 << 20, true })
	ctx := deadline(t, 200*time.Millisecond)
	err := a.enter(ctx)
	if s, c := results.Judge(err); s != results.Unknown || c != results.CauseResources || !strings.Contains(err.Error(), "got 100 MiB of memory free, want 256 MiB") {
		t.Errorf("got %v (%s) %v, want unknown (resources) and what was short", s, c, err)
	}
	if len(a.slots) > 0 {
		t.Error("the place was not given back")
	}
	if room, ok := freeMemory(); !ok || room < 1<<20 {
		t.Errorf("got %d, %v, want this machine's free memory", room, ok)
	}
}

// While the processor is short one journey runs, and a second waits for it.
func TestShortProcessor(t *testing.T) {
	t.Parallel()
	a := newAdmission(3, nil)
	if err := a.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.pulse.stop()
	a.pulse = &pulse{done: make(chan struct{}), seen: time.Second}
	err := a.enter(deadline(t, 200*time.Millisecond))
	if s, c := results.Judge(err); s != results.Unknown || c != results.CauseResources || !strings.Contains(err.Error(), "waits 1s for the processor") {
		t.Errorf("got %v (%s) %v, want unknown (resources) and what was short", s, c, err)
	}
	let := make(chan error)
	go func() { let <- a.enter(t.Context()) }()
	a.leave()
	if err := <-let; err != nil {
		t.Error(err)
	}
	a.leave()
}

// stage runs TestStage in a process of its own, started by a command line to which the
// program is added.
func stage(t *testing.T, name string, command ...string) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Open(path) // another user may not be allowed into its directory
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	command = append(command, "/proc/self/fd/3", "-test.run=^TestStage$", "-test.v", "-journeys.stage="+name)
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.ExtraFiles = []*os.File{self}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestStage") {
		t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

// As the first process of a container nobody else takes the orphans of a browser.
func TestFirstProcess(t *testing.T) {
	needBrowser(t)
	needNamespaces(t)
	t.Parallel()
	stage(t, "first", "unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")
}

// A full disk is ours to complain about, never the service's.
func TestFullDisk(t *testing.T) {
	needBrowser(t)
	needNamespaces(t)
	t.Parallel()
	stage(t, "full", "unshare", "--user", "--map-root-user", "--mount")
}

// Without root the sandbox is on, and so it is of root's.
func TestOrdinaryUser(t *testing.T) {
	needBrowser(t)
	needNamespaces(t)
	t.Parallel()
	if os.Getuid() != 0 {
		return // all the other tests are it
	}
	stage(t, "ordinary", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
}

func needNamespaces(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "true").CombinedOutput(); err != nil {
		proof.Lacks(t, "unshare: "+err.Error()+": "+string(out)+": want user namespaces, sysctl user.max_user_namespaces")
	}
}

func TestSandbox(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	good := one(t, serve(t), "/", "see: Mugs")
	for _, off := range []bool{false, true} {
		p := own(t, PoolOptions{NoSandbox: off})
		wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
		// A process in Chromium's sandbox filters its system calls (seccomp).
		filtered := 0
		for pid := range descendants(strconv.Itoa(p.now().pid)) {
			for _, mode := range fields("/proc/"+pid+"/status", "Seccomp:") {
				if mode == 2 {
					filtered++
				}
			}
		}
		if got := filtered > 0; got == off {
			t.Errorf("no sandbox: %v: got %d processes that filter their system calls", off, filtered)
		}
	}
	forbidden := filepath.Join(t.TempDir(), "forbidden")
	if err := os.WriteFile(forbidden, []byte("#!/bin/sh\necho 'No usable sandbox!' >&2\nexit 7\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantResult(t, walk(t, own(t, PoolOptions{Browser: forbidden}), good, 60*time.Second),
		results.Unknown, results.CauseBrowser, "No usable sandbox!", "or do without", "browser: {no_sandbox: true}")
}

// TestStage is what the processes of stage do.
func TestStage(t *testing.T) {
	dir := t.TempDir()
	switch *stageName {
	case "":
		t.Skip("the other tests run it, in processes of their own")
	case "first":
		stageFirst(t, dir)
	case "full":
		stageFull(t, dir)
	case "ordinary":
		if os.Getuid() == 0 {
			t.Error("got root, want an ordinary user")
		}
		wantResult(t, walk(t, own(t, PoolOptions{Dir: dir}), one(t, serve(t), "/", "see: Mugs"), 60*time.Second), results.OK, "")
	}
}

// stageFirst kills a browser, and wants no process of it left, not even a dead one.
func stageFirst(t *testing.T, dir string) {
	t.Helper()
	if os.Getpid() != 1 {
		t.Fatalf("got process %d, want to be the first", os.Getpid())
	}
	p := own(t, PoolOptions{Dir: dir})
	good := one(t, serve(t), "/", "see: Mugs")
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
	syscall.Kill(p.now().pid, syscall.SIGKILL)
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, func() bool {
		all, _ := filepath.Glob("/proc/[0-9]*")
		return len(all) == 1
	})
}

// stageFull fills the disks that profiles and shared memory are on. The browser does
// without, as long as it finds a directory.
func stageFull(t *testing.T, dir string) {
	t.Helper()
	good := one(t, serve(t), "/", "see: Mugs")
	none := t.TempDir()
	fillDisk(t, dir, "size=400k")
	fillDisk(t, "/dev/shm", "size=400k")
	wantResult(t, walk(t, own(t, PoolOptions{Dir: dir}), good, 60*time.Second), results.OK, "")
	fillDisk(t, none, "size=400k,nr_inodes=2")
	wantResult(t, walk(t, own(t, PoolOptions{Dir: none}), good, 60*time.Second),
		results.Unknown, results.CauseResources, "browser profile: ", "no space left")
}

func fillDisk(t *testing.T, dir, options string) {
	t.Helper()
	if err := syscall.Mount("none", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 1<<20), 0o600); err == nil {
		t.Error("the disk is not full")
	}
}

func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
