package pause

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

// Probe says whose processes could be paused here, or why none. It touches none.
func Probe() (whose string, err error) {
	const nobody = 1 << 30 // beyond the largest number of a process
	// The kernel looks for the process only after it has let us ask at all.
	if err := seize(nobody, false); !errors.Is(err, unix.ESRCH) {
		return "", results.Blind(results.CausePermission, fmt.Errorf("ptrace: %w (forbidden by a seccomp profile? docker run --cap-add SYS_PTRACE)", err))
	}
	self, err := pinPID(unix.Getpid())
	if err != nil {
		return "", err
	}
	self.close()
	capable, err := capablePtrace()
	if err != nil {
		return "", err
	}
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope") // none without Yama
	return may(capable, strings.TrimSpace(string(scope)), unix.Getuid())
}

// may is the kernel's rule in words.
func may(capable bool, scope string, uid int) (whose string, err error) {
	switch {
	case scope == "3":
		err = errors.New("kernel.yama.ptrace_scope is 3: no process can be traced until the next boot")
	case capable:
		return "any process, by CAP_SYS_PTRACE", nil
	case scope == "1", scope == "2":
		err = fmt.Errorf("kernel.yama.ptrace_scope is %s and CAP_SYS_PTRACE is missing: docker run --cap-add SYS_PTRACE, run as root, or sysctl kernel.yama.ptrace_scope=0", scope)
	default:
		return fmt.Sprintf("processes of uid %d; CAP_SYS_PTRACE, or root, for those of others", uid), nil
	}
	return "", results.Blind(results.CausePermission, err)
}

// capablePtrace says whether CAP_SYS_PTRACE is in effect.
func capablePtrace() (bool, error) {
	text, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return false, results.Blind(results.CauseTool, err)
	}
	for line := range strings.Lines(string(text)) {
		if word, ok := strings.CutPrefix(line, "CapEff:"); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(word), 16, 64)
			return bits&(1<<unix.CAP_SYS_PTRACE) != 0, err
		}
	}
	return false, errors.New("/proc/thread-self/status: got no CapEff")
}
