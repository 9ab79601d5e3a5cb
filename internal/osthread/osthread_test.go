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
	var children []*exec.Cmd
	for range 8 { // on as many threads as there are to be had
		started := make(chan error)
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			c := exec.Command("sleep", "60")
			c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			children = append(children, c)
			started <- c.Start()
		}()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		tids := make(chan int)
		osthread.Go(func() { tids <- unix.Gettid() })
		tid := <-tids
		for unix.Tgkill(unix.Getpid(), tid, 0) == nil { // it ends
			runtime.Gosched()
		}
	}
	for _, c := range children {
		var info unix.Siginfo
		if err := unix.Waitid(unix.P_PID, c.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil || info.Signo != 0 {
			t.Errorf("child %d ended: %v, %+v", c.Process.Pid, err, info)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}
