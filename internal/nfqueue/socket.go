package nfqueue

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

const (
	// FirstNum is the lowest number that Open chooses from. Lower ones are what people
	// write by hand, and 64444 is where package faults lets datagrams vanish.
	FirstNum, lastNum = 1 << 15, 60_000

	binds = 16 // numbers to try; another program may hold one

	headersBuffer = 16 << 20 // bytes that may wait in the kernel to be read
	wholeBuffer   = 64 << 20

	// slack is how many packets beyond MaxHeld the kernel may hold before it stops to
	// ask: more than the buffer has room for, so that what it lets pass leaves a gap
	// in the ids, which is counted.
	slack = 1 << 20
)

// openQueue binds a socket to a free queue.
func openQueue(need Need, held int) (fd int, num uint16, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, 0, results.Blind(results.CauseTool, fmt.Errorf("nfqueue: %w", err))
	}
	num, err = bindQueue(fd, need, held)
	if err != nil {
		_ = unix.Close(fd)
		return 0, 0, err
	}
	return fd, num, nil
}

func bindQueue(fd int, need Need, held int) (num uint16, err error) {
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, results.Blind(results.CauseTool, fmt.Errorf("nfqueue: %w", err))
	}
	// A full buffer is no error that would have to be read: it shows in the ids.
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1); err != nil {
		return 0, results.Blind(results.CauseTool, fmt.Errorf("nfqueue: %w", err))
	}
	size := headersBuffer
	if need == Whole {
		size = wholeBuffer
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size); err != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size) // a smaller one only misses sooner, and that is counted
	}
	for range binds {
		num = uint16(FirstNum + rand.IntN(lastNum-FirstNum)) //nolint:gosec // a number nobody else has, not a secret
		if _, err = unix.Write(fd, bindMessage(num, need, held+slack)); err == nil {
			err = readAck(fd)
		}
		// A queue that somebody else has is refused by EPERM or EBUSY, as is by EPERM
		// whoever may have none at all.
		if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EBUSY) {
			break
		}
	}
	switch {
	case errors.Is(err, unix.EPERM):
		err = results.Blind(results.CausePermission, fmt.Errorf("nfqueue: %w (needs CAP_NET_ADMIN)", err))
	case err != nil:
		err = results.Blind(results.CauseTool, fmt.Errorf("nfqueue: the kernel has no nfnetlink_queue, or no queue is free: %w", err))
	}
	return num, err
}

// A sender sends packets of our own, from their IP header on. They bear the queue's
// bit, so that the queue does not meet them.
type sender struct{ v4, v6 int }

func openSender(mark uint32) (s *sender, err error) {
	s = &sender{-1, -1}
	if s.v4, err = openRaw(unix.AF_INET, mark); err != nil {
		return nil, err
	}
	s.v6, err = openRaw(unix.AF_INET6, mark)
	if errors.Is(err, unix.EAFNOSUPPORT) { // a kernel without IPv6 will not ask for it
		s.v6, err = -1, nil
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func openRaw(family int, mark uint32) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_RAW)
	if err == nil {
		if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)); err == nil {
			return fd, nil
		}
		_ = unix.Close(fd)
	}
	err = fmt.Errorf("nfqueue: raw socket: %w", err)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return -1, results.Blind(results.CausePermission, fmt.Errorf("%w (needs CAP_NET_RAW and CAP_NET_ADMIN)", err))
	}
	return -1, results.Blind(results.CauseTool, err)
}

func (s *sender) close() {
	for _, fd := range []int{s.v4, s.v6} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// send sends a packet out of the device that the asked one came by or goes to, where
// its address does not say which.
func (s *sender) send(packet []byte, device uint32) error {
	l, ok := parse(packet)
	if !ok {
		return errors.New("nfqueue: no IP packet")
	}
	_, target := addresses(packet, l.version)
	if l.version == 4 {
		return unix.Sendto(s.v4, packet, 0, &unix.SockaddrInet4{Addr: target.As4()})
	}
	to := &unix.SockaddrInet6{Addr: target.As16()}
	if target.IsLinkLocalUnicast() {
		to.ZoneId = device
	}
	return unix.Sendto(s.v6, packet, 0, to)
}
