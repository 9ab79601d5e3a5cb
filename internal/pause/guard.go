package pause

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

// A guard keeps hands off processes without which nobody could heal.
type guard struct {
	ownChildren bool
}

func (g guard) check(s stat) error {
	refused := func(why string) error { return fmt.Errorf("%w: %s %s", ErrRefused, s, why) }
	self := unix.Getpid()
	switch {
	case s.pid == 1:
		return refused("is the first of this system or container; everything else hangs on it")
	case s.flags&kernelThread != 0:
		return refused("is a thread of the kernel")
	case s.pid == self:
		return refused("is Foreshock itself")
	case descends(self, s.pid, parentOf):
		return refused("started Foreshock; it would stand still with it")
	case !g.ownChildren && descends(s.pid, self, parentOf):
		return refused("was started by Foreshock, which may need it (a browser, a worker)")
	}
	return nil
}

// mayTrace says whether the kernel would let us hold the process, and does nothing
// to it: opening its memory is the same question.
func mayTrace(s stat) error {
	if err := tracedBy(s.pid); err != nil {
		return err
	}
	f, err := os.Open(procDir(s.pid) + "/mem")
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, os.ErrPermission):
		return denied(s, err)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH):
		return nil // it has just ended, which is seen elsewhere
	}
	return results.Blind(results.CauseTool, err)
}

// tracedBy says who traces a process, if anyone does.
func tracedBy(pid int) error {
	st, err := readStatus(procDir(pid))
	if err != nil || st.tracer == 0 {
		return nil //nolint:nilerr // it has just ended, which is seen elsewhere
	}
	by, err := readStatus(procDir(st.tracer))
	if err != nil {
		return fmt.Errorf("%w: process %d, by thread %d", ErrTraced, pid, st.tracer)
	}
	if by.process == unix.Getpid() {
		return fmt.Errorf("%w: process %d, by another pause of this process", ErrTraced, pid)
	}
	name := ""
	if s, err := readStat(procDir(by.process)); err == nil {
		name = " (" + s.name + ")"
	}
	return fmt.Errorf("%w: process %d, by process %d%s: a debugger, or the pause of another run", ErrTraced, pid, by.process, name)
}

// denied says which of the kernel's settings is in the way.
func denied(s stat, err error) error {
	const capable = "give CAP_SYS_PTRACE (docker run --cap-add SYS_PTRACE)"
	why := "it may not be traced by us: " + capable
	st, serr := readStatus(procDir(s.pid))
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope") // none without Yama
	switch mode := strings.TrimSpace(string(scope)); {
	case mode == "3":
		why = "kernel.yama.ptrace_scope is 3: no process can be traced until the next boot"
	case serr == nil && st.uid != os.Getuid():
		why = fmt.Sprintf("it belongs to uid %d and we are uid %d: %s, or run as root", st.uid, os.Getuid(), capable)
	case mode == "2":
		why = "kernel.yama.ptrace_scope is 2: " + capable + ", or sysctl kernel.yama.ptrace_scope=0"
	case mode == "1":
		why = "kernel.yama.ptrace_scope is 1, which allows only our own children: " + capable + ", or sysctl kernel.yama.ptrace_scope=0"
	case serr == nil:
		why = "it has made itself untraceable (prctl PR_SET_DUMPABLE), is privileged, or lives in another user namespace: " + capable
	}
	return results.Blind(results.CausePermission, fmt.Errorf("%s: %s: %w", s, why, err))
}
