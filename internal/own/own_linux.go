package own

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Control marks a socket; it is for net.Dialer.Control. It needs CAP_NET_ADMIN, as
// does counting, and does nothing without.
func Control(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, Mark)
	})
}
