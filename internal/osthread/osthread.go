// Package osthread runs functions on threads of the operating system that end with
// them. With such a thread goes what the kernel keeps for it alone: the namespace that
// it entered, the processes that it traces. It must never end a thread that has
// children: those with PR_SET_PDEATHSIG would be killed with it.
package osthread

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// Go runs fn in a goroutine on a thread that nothing else uses from then on, and that
// ends with fn. It has no children when fn begins; those that fn starts must end first.
func Go(fn func()) {
	go func() {
		runtime.LockOSThread() // and never unlocked: so the thread ends
		// The main thread would not end, but stay as fn left it.
		if unix.Gettid() != unix.Getpid() && childless() {
			fn()
			return
		}
		// While this one is held, the next is another.
		found := make(chan struct{})
		Go(func() {
			close(found)
			fn()
		})
		<-found
		runtime.UnlockOSThread()
	}()
}

// childless says that the calling thread has started no process that still lives, or
// that nobody has waited for.
func childless() bool {
	const (
		anyone = 0 // P_ALL
		looks  = unix.WEXITED | unix.WSTOPPED | unix.WNOWAIT | unix.WNOHANG | unix.WALL | unix.WNOTHREAD
	)
	var info unix.Siginfo
	return errors.Is(unix.Waitid(anyone, 0, &info, looks, nil), unix.ECHILD)
}
