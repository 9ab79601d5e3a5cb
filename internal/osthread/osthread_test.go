package osthread_test

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/osthread"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A browser or a worker asks to be killed with the thread that started it, which may
// be any: none of these may be one that ends.
func TestChildrenOutliveTheThread(t *testing.T) {
	t.Parallel()
	for range 20 {
		c := exec.Command("sleep", "60")
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// While this goroutine waits, the next one is run by its thread.
		tids := make(chan int)
		osthread.Go(func() { tids <- unix.Gettid() })
		tid := <-tids
		for unix.Tgkill(unix.Getpid(), tid, 0) == nil { // it ends
			runtime.Gosched()
		}
		var info unix.Siginfo
		if err := unix.Waitid(unix.P_PID, c.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil || info.Signo != 0 {
			t.Errorf("child %d ended: %v, %+v", c.Process.Pid, err, info)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// What a thread was made to be ends with it.
func TestThreadIsOfItsOwn(t *testing.T) {
	t.Parallel()
	for range 20 {
		tids := make(chan int)
		osthread.Go(func() { tids <- unix.Gettid() })
		tid := <-tids
		if tid == unix.Getpid() {
			t.Error("got the main thread, which does not end")
		}
		for unix.Tgkill(unix.Getpid(), tid, 0) == nil {
			runtime.Gosched()
		}
	}
}
