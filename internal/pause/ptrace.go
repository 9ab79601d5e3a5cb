package pause

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Every call of this file counts for the calling thread alone: it is the tracer.

const (
	// waits takes the events of this thread's tracees and of nobody else's children.
	waits = unix.WNOHANG | unix.WALL | unix.WNOTHREAD

	anyone = 0 // P_ALL of waitid

	lastEnd = 3 // of the codes of waitid: CLD_EXITED, CLD_KILLED, CLD_DUMPED; then come stops
)

func ptrace(request, tid int, data uintptr) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), 0, data, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// seize attaches to a thread without stopping it. Threads that it makes from now on,
// and processes if tree is set, are attached too, and stop before they run.
func seize(tid int, tree bool) error {
	options := unix.PTRACE_O_TRACECLONE
	if tree {
		options |= unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK
	}
	return ptrace(unix.PTRACE_SEIZE, tid, uintptr(options))
}

func interrupt(tid int) error { return ptrace(unix.PTRACE_INTERRUPT, tid, 0) }

// detach lets a stopped thread run on, with the signal that it was about to get.
func detach(tid int, signal syscall.Signal) error {
	return ptrace(unix.PTRACE_DETACH, tid, uintptr(signal))
}

// A childInfo is the kernel's siginfo_t as waitid fills it.
type childInfo struct {
	Signo, Errno, Code int32
	_                  [0]uintptr // what follows is aligned to a word
	Pid                int32
	UID                uint32
	Status             int32
	_                  [128]byte // at least as long as the kernel's
}

// event takes the next event of one tracee or of anyone; ok is false if there is none.
func event(id, which, options int) (info childInfo, ok bool) {
	for {
		err := unix.Waitid(which, id, (*unix.Siginfo)(unsafe.Pointer(&info)), waits|options, nil) //nolint:gosec // the same struct with the fields of a child
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return info, err == nil && info.Signo != 0
	}
}

// stopEvent takes the stop of a tracee, if there is one.
func stopEvent() (tid int, signal syscall.Signal, ok bool) {
	info, ok := event(0, anyone, unix.WSTOPPED)
	if !ok {
		return 0, 0, false
	}
	// The upper byte tells a stop of our own asking from the arrival of a signal,
	// which is only here in our hands.
	if info.Status>>8 == 0 {
		signal = syscall.Signal(info.Status)
	}
	return int(info.Pid), signal, true
}

// someEnded says whether anything of a tracee waits to be taken: an end, if the stops
// were taken just before.
func someEnded() bool {
	_, ok := event(0, anyone, unix.WEXITED|unix.WNOWAIT)
	return ok
}

// endEvent says whether a tracee has ended, and unless keep is set takes its end. An
// end that is kept goes to the parent when this thread ends.
func endEvent(tid int, keep bool) bool {
	// Of a tracee the kernel also tells a stop here, which must not be taken for an end.
	info, ok := event(tid, unix.P_PID, unix.WEXITED|unix.WNOWAIT)
	if !ok || info.Code > lastEnd {
		return false
	}
	if !keep {
		event(tid, unix.P_PID, unix.WEXITED)
	}
	return true
}
