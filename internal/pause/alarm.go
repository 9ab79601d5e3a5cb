package pause

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An alarm wakes this very process if it is stopped (SIGSTOP, a debugger, ^Z) when a
// pause has to end: the kernel sends it SIGCONT, which does nothing to one that runs.
// A process that is frozen otherwise (its cgroup, its machine) is not woken.
type alarm struct {
	id uintptr
	ok bool
}

// A sigevent is the kernel's, of 64 bytes.
type sigevent struct {
	value          uintptr
	signal, notify int32
	_              [64 - 8 - unsafe.Sizeof(uintptr(0))]byte
}

// setAlarm goes off once. Where the kernel has no such timers, nothing is set.
func setAlarm(after time.Duration) alarm {
	var a alarm
	var id int32
	event := sigevent{signal: int32(unix.SIGCONT)} // notify 0 is SIGEV_SIGNAL
	//nolint:gosec // the kernel's struct, and a place for its answer
	_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&id)))
	if errno != 0 {
		return a
	}
	a.id = uintptr(id) //nolint:gosec // small and not negative
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(after, 1)))}
	//nolint:gosec // as above
	_, _, errno = unix.Syscall6(unix.SYS_TIMER_SETTIME, a.id, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	a.ok = errno == 0
	if !a.ok {
		a.delete()
	}
	return a
}

func (a alarm) off() {
	if a.ok {
		a.delete()
	}
}

func (a alarm) delete() { _, _, _ = unix.Syscall(unix.SYS_TIMER_DELETE, a.id, 0, 0) }
