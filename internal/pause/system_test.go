package pause_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/pause"
	"github.com/foreshock/foreshock/internal/proof"
)

// The number of a dead target goes to a stranger, in a namespace of processes where
// the next number can be chosen.
func TestRecycledPID(t *testing.T) {
	t.Parallel()
	c := exec.Command("/proc/self/exe", "-pause.recycle")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	out, err := c.CombinedOutput()
	switch exit := new(exec.ExitError); {
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		proof.Lacks(t, "no namespaces of processes here (sysctl user.max_user_namespaces=10000): "+string(out))
	case err != nil && !errors.As(err, &exit):
		proof.Lacks(t, "no user namespaces here (sysctl user.max_user_namespaces=10000): "+err.Error())
	case err != nil:
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

func playRecycle() int {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		fmt.Println(err)
		return 3
	}
	if err := recycle(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func recycle(ctx context.Context) error {
	first, err := beAnyone()
	if err != nil {
		return err
	}
	pid := first.Process.Pid
	p, err := pause.Open(ctx, pause.Selector{PID: pid}, options("recycled"))
	if err != nil {
		return err
	}
	defer func() { _ = p.Close(ctx) }()
	_ = first.Process.Kill()
	_ = first.Wait()
	var stranger *exec.Cmd
	for range 1000 { // a thread of this process may be faster
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			return err
		}
		if stranger, err = beAnyone(); err != nil {
			return err
		}
		defer func() {
			_ = stranger.Process.Kill()
			_ = stranger.Wait()
		}()
		if stranger.Process.Pid == pid {
			break
		}
	}
	if stranger.Process.Pid != pid {
		return fmt.Errorf("no process got number %d again", pid)
	}
	err = p.Arm(ctx)
	fmt.Printf("arm: %v\n", err)
	if !errors.Is(err, pause.ErrEnded) {
		return fmt.Errorf("arm: got %w, want that process %d has ended", err, pid)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if !strings.Contains(string(text), "TracerPid:\t0\n") {
		return fmt.Errorf("the stranger is traced: %w", err)
	}
	return nil
}

func beAnyone() (*exec.Cmd, error) {
	c := exec.Command("sleep", "60")
	return c, c.Start()
}

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// cgroupDir makes a cgroup as a container engine does.
func cgroupDir(t *testing.T, id string) string {
	t.Helper()
	mounts, err := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	must(t, err)
	for _, m := range append([]string{"/sys/fs/cgroup/unified/cgroup.procs", "/sys/fs/cgroup/cgroup.procs"}, mounts...) {
		dir := filepath.Join(filepath.Dir(m), "docker-"+id+".scope")
		if os.Mkdir(dir, 0o755) == nil {
			t.Cleanup(func() {
				eventually(t, "empty cgroup", func() bool { return os.Remove(dir) == nil })
			})
			return dir
		}
	}
	proof.Lacks(t, "no cgroup can be made here: run as root with a writable /sys/fs/cgroup")
	return ""
}

func TestContainer(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0badc0de", 8)
	dir := cgroupDir(t, id)
	join := func(tg *target) {
		must(t, os.WriteFile(dir+"/cgroup.procs", []byte(itoa(tg.pid)), 0))
	}
	one, two, late := start(t, "plain"), start(t, "forks"), start(t, "plain")
	join(one)
	join(two)
	p := open(t, pause.Selector{Container: id[:12]}, options("container"))
	must(t, p.Arm(t.Context()))
	standing(t, one.pid)
	standing(t, two.pid)
	if n := len(p.Evidence().Processes); n < 2 {
		t.Errorf("got %d processes, want 2 or more", n)
	}
	join(late) // as docker exec does
	eventually(t, "stop", func() bool { return state(t, late.pid) == 't' })
	must(t, p.Disarm(t.Context()))
	one.still(t, last(t, p))
	two.still(t, last(t, p))

	// A restart gives the container new processes, and the pause finds them.
	_, err := pause.Kill(t.Context(), pause.Selector{Container: id[:12]}, unix.SIGKILL, true)
	must(t, err)
	again := start(t, "plain")
	join(again)
	must(t, p.Arm(t.Context()))
	standing(t, again.pid)
	must(t, p.Disarm(t.Context()))
	again.still(t, last(t, p))
}

// A thread that sleeps in the kernel and cannot be woken (a dead NFS server, or here the
// freezer) does not run, and so is paused; it stops when it wakes. If the pause is over
// by then, it just goes on.
func TestThreadsBlockedInTheKernel(t *testing.T) {
	t.Parallel()
	dir := "/sys/fs/cgroup/freezer/foreshock-pause-test"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("no freezer of cgroup version 1 here, or not root: %v", err) // nothing that could be installed
	}
	t.Cleanup(func() { eventually(t, "empty cgroup", func() bool { return os.Remove(dir) == nil }) })
	freeze := func(tg *target, state, want string) {
		must(t, os.WriteFile(dir+"/cgroup.procs", []byte(itoa(tg.pid)), 0))
		must(t, os.WriteFile(dir+"/freezer.state", []byte(state), 0))
		eventually(t, state, func() bool {
			text, err := os.ReadFile(dir + "/freezer.state")
			return err == nil && string(text) == want
		})
	}
	tg := start(t, "plain")
	t.Cleanup(func() { freeze(tg, "THAWED", "THAWED\n") }) // before it is killed and waited for
	p := open(t, pause.Selector{PID: tg.pid}, options("blocked"))
	for _, early := range []bool{false, true} {
		freeze(tg, "FROZEN", "FROZEN\n")
		must(t, p.Arm(t.Context()))
		if s := last(t, p); s.Blocked == 0 || s.Blocked != s.Threads {
			t.Errorf("got %d of %d threads blocked, want all", s.Blocked, s.Threads)
		}
		if early {
			must(t, p.Disarm(t.Context()))
			free(t, tg.pid)
			freeze(tg, "THAWED", "THAWED\n")
		} else {
			freeze(tg, "THAWED", "THAWED\n")
			eventually(t, "stop", func() bool { return state(t, tg.pid) == 't' })
			must(t, p.Disarm(t.Context()))
		}
		tg.after(t, time.Now())
	}
}
