package pause

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

// A pin is one process and no other: the kernel's handle stays with it when its
// number goes to somebody else.
type pin struct {
	stat
	file *os.File
	conn syscall.RawConn
}

func pinPID(pid int) (*pin, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, fmt.Errorf("%w: there is no process %d", ErrEnded, pid)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		return nil, results.Blind(results.CauseTool, fmt.Errorf("pidfd_open: %w (needs Linux 5.10, and a container's seccomp profile that allows it)", err))
	case err != nil:
		// The kernel's word for a thread differs between its versions.
		switch s, serr := readStatus(procDir(pid)); {
		case errors.Is(serr, os.ErrNotExist):
			return nil, fmt.Errorf("%w: there is no process %d", ErrEnded, pid)
		case serr == nil && s.process != pid:
			return nil, fmt.Errorf("got %d, which is a thread of process %d, want a process", pid, s.process)
		}
		return nil, results.Blind(results.CauseTool, fmt.Errorf("pidfd_open of %d: %w", pid, err))
	}
	p := &pin{file: os.NewFile(uintptr(fd), "pidfd")}
	if p.conn, err = p.file.SyscallConn(); err == nil {
		p.stat, err = readStat(procDir(pid))
	}
	switch {
	case err == nil && !p.ended(): // so what was read is of this process
		return p, nil
	case err == nil, errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH):
		err = fmt.Errorf("%w: process %d", ErrEnded, pid)
	}
	p.close()
	return nil, err
}

func (p *pin) close() { _ = p.file.Close() }

// ended says whether every thread of the process is gone.
func (p *pin) ended() bool {
	ended := true // closed
	_ = p.conn.Control(func(fd uintptr) { ended = readable(fd) })
	return ended
}

func readable(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a file descriptor
	n, _ := unix.Poll(fds, 0)
	return n > 0
}

// wait returns when the process has ended, or the error of ctx.
func (p *pin) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err := p.conn.Read(readable)
	if ctx.Err() != nil && !p.ended() {
		return ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// signal sends to this process alone.
func (p *pin) signal(sig syscall.Signal) error {
	var err error
	if cerr := p.conn.Control(func(fd uintptr) { err = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); cerr != nil {
		return cerr
	}
	return err
}
