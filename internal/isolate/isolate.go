//go:build linux

// Package isolate runs this program again in user, network, process and mount
// namespaces of its own, so that what it breaks is its own network and what it starts
// ends with it: the kernel kills every process of the namespace when its first one
// ends, and that one dies with the process that called Run. It must never touch the
// namespaces it was called in.
package isolate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// defaultGrace is how long the inner program may take to end once it is asked to.
const defaultGrace = 15 * time.Second

// Descriptors inside. The lifeline is a pipe whose other end Run holds: its end asks
// the inner program to end, and comes even if Run's process is killed at a moment when
// the kernel has not been told yet to kill its child.
const (
	lifeline  = 3
	firstFile = 4
)

// A Command is the program to run inside.
type Command struct {
	Args           []string   // of this program
	Files          []*os.File // handed over: Run closes them here
	Stdout, Stderr io.Writer
	Grace          time.Duration // how long it may take to end once it is asked to; 0 is 15 s
}

// File returns the nth of the Command's files, inside. What is started later does not
// inherit it.
func File(n int) *os.File {
	syscall.CloseOnExec(firstFile + n)
	return os.NewFile(uintptr(firstFile+n), fmt.Sprintf("inherited-%d", n))
}

// Run runs the command and returns its exit code. When ctx ends, the context that
// Enter made inside ends, and the inner program is killed if it does not.
func Run(ctx context.Context, c Command) (code int, err error) {
	// The inner program dies with the thread that started it, so this one stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	theirs, ours, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("lifeline: %w", err)
	}
	defer func() { _ = ours.Close() }()
	cmd, err := c.start(theirs, true)
	if err != nil && os.Getuid() == 0 && forbidden(err) {
		// A root that may not make user namespaces needs none.
		cmd, err = c.start(theirs, false)
	}
	for _, f := range append(c.Files, theirs) {
		_ = f.Close()
	}
	if err != nil {
		return 0, explain(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = ours.Close()
		err = await(cmd.Process, ended, cmp.Or(c.Grace, defaultGrace))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// await gives the inner program its time to end, then kills it.
func await(p *os.Process, ended <-chan error, grace time.Duration) error {
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case err := <-ended:
		return err
	case <-t.C:
		return errors.Join(fmt.Errorf("did not end within %v and was killed", grace), p.Kill(), <-ended)
	}
}

func (c Command) start(theirs *os.File, userNamespace bool) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", c.Args...) //nolint:gosec,noctx // it is this program; Run ends it in its own way
	cmd.Args[0] = os.Args[0]                         //nolint:forbidigo // the name that process lists show
	cmd.Stdout, cmd.Stderr = c.Stdout, c.Stderr
	cmd.ExtraFiles = append([]*os.File{theirs}, c.Files...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // Ctrl-C reaches the outer program alone, which passes it on
	}
	if userNamespace {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd, cmd.Start()
}

func forbidden(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EACCES)
}

// explain names the setting that forbids user namespaces, if one does.
func explain(err error) error {
	if !forbidden(err) {
		return err
	}
	for _, s := range []struct{ file, bad, mend string }{
		{"/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	} {
		b, rerr := os.ReadFile(s.file)
		if got := strings.TrimSpace(string(b)); rerr == nil && got == s.bad {
			return fmt.Errorf("namespaces of our own are forbidden: %s is %s; as root: %s: %w", s.file, got, s.mend, err)
		}
	}
	return fmt.Errorf("namespaces of our own are forbidden here (a container's seccomp profile, or a security module?): %w", err)
}

// Try reports why namespaces cannot be made here, or nil: it runs this program's args,
// which should call Enter and say on standard error what went wrong, in some.
func Try(ctx context.Context, args ...string) error {
	var said strings.Builder
	code, err := Run(ctx, Command{Args: args, Stdout: io.Discard, Stderr: &said})
	if err == nil && code != 0 {
		err = errors.New(strings.TrimSpace(said.String()))
	}
	return err
}
