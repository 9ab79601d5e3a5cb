package journeys

import (
	"os"
	"os/exec"
	"syscall"
)

// tie makes the kernel kill the browser when we die, whatever kills us. chromedp
// starts it from a thread that lives as long as the browser, which this needs. The
// group of its own keeps the terminal's Ctrl-C for us, and lets its children, and a
// script around it, be ended with it.
func tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			return os.ErrProcessDone
		}
		return nil
	}
}

// smallShm reports whether the shared memory is too small for a browser, as it is in
// a container by default (64 MiB).
func smallShm() bool {
	const want = 256 << 20
	var st syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &st); err != nil {
		return true
	}
	return st.Bavail*uint64(st.Bsize) < want //nolint:gosec // a block size is positive
}
