package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

const (
	// maxAttempts bounds the memory of one watch: about 200 MB.
	maxAttempts = 1 << 20

	watchBuffer  = 4 << 20 // bytes that may wait in the kernel
	drainMax     = 256     // reports taken under one lock
	syncMax      = 64      // drains of one sync, so that a flood cannot hold it
	watchBinds   = 16      // groups to try; another program may hold one
	prefixSyn    = "syn"
	prefixHit    = "hit"
	prefixSync   = "sync"
	nflogPrivate = 1 << 15 // groups from here on are ours to choose from
)

// A watch hears of connection attempts and of the fault's first packet through
// NFLOG, which only reports: whatever happens to the watch, no packet is lost.
type watch struct {
	group uint16
	fd    int
	stop  *os.File // closed to end the listener
	done  chan struct{}

	mu       sync.Mutex
	buf      []byte
	known    map[attemptKey]struct{}
	attempts []Attempt
	firstHit time.Time
	next     uint32 // sequence number of the next report
	lost     bool
	closed   bool
	batched  bool   // reports wait in the kernel for each other, or for ask
	ask      *lease // its datagram makes the kernel send the reports that wait
}

// An attemptKey is the same for a first packet and its retransmissions, and on
// loopback for its way out and its way in.
type attemptKey struct {
	source, target netip.AddrPort
	seq            uint32
}

// openWatch starts to listen; call it in the namespace of the rules.
func openWatch() (*watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, results.Blind(results.CauseTool, fmt.Errorf("nflog: %w", err))
	}
	group, err := bindGroup(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		_ = unix.Close(fd)
		return nil, results.Blind(results.CauseResources, fmt.Errorf("nflog: %w", err))
	}
	w := &watch{
		group: group, fd: fd, stop: os.NewFile(uintptr(ends[1]), "nflog"), done: make(chan struct{}),
		buf: make([]byte, 64<<10), known: map[attemptKey]struct{}{},
	}
	go w.listen(ends[0])
	return w, nil
}

func bindGroup(fd int) (group uint16, err error) {
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, results.Blind(results.CauseTool, fmt.Errorf("nflog: %w", err))
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, watchBuffer); err != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, watchBuffer) // a smaller one only overflows sooner, and that is seen
	}
	for range watchBinds {
		group = uint16(nflogPrivate + rand.IntN(1<<15)) //nolint:gosec // a number nobody else has, not a secret
		// A group that somebody else has is refused by EPERM, as is whoever may not listen at all.
		if err = bindNflog(fd, group); !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EBUSY) {
			break
		}
	}
	switch {
	case errors.Is(err, unix.EPERM):
		err = results.Blind(results.CausePermission, fmt.Errorf("nflog: %w (needs CAP_NET_ADMIN)", err))
	case err != nil:
		err = results.Blind(results.CauseTool, fmt.Errorf("nflog: the kernel has no nfnetlink_log, or no group is free: %w", err))
	}
	return group, err
}

func (w *watch) close() {
	_ = w.stop.Close()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		_ = unix.Close(w.fd)
	}
	w.closed, w.batched = true, false
}

const (
	// rest is how long the listener does not listen after it took a report. Each report
	// that wakes it costs the sender of the packet some microseconds, so that a busy
	// service wakes it a thousand times a second at most.
	rest = time.Millisecond

	// busy is how many reports of one rest make the kernel batch them. One that is sent
	// by itself costs the sender a microsecond; the listener asks for them every rest.
	busy       = 4
	batchSize  = 64
	batchLimit = 10 * time.Millisecond // after that they come unasked
)

// listen reads until close. The first report after a rest is stamped when it comes;
// what comes meanwhile is late by as much, and on a busy machine by some milliseconds.
// sync bounds that where it matters. The runtime's poller would be woken by each report.
func (w *watch) listen(stop int) {
	defer close(w.done)
	defer unix.Close(stop)                                     //nolint:errcheck // a pipe that nobody writes to
	ended := unix.PollFd{Fd: int32(stop), Events: unix.POLLIN} //nolint:gosec // a file descriptor
	wait := func(limit time.Duration, fds ...unix.PollFd) (goOn bool) {
		_, err := unix.Poll(fds, int(limit.Milliseconds()))
		return (err == nil || errors.Is(err, unix.EINTR)) && fds[0].Revents == 0
	}
	for wait(-time.Millisecond, ended, unix.PollFd{Fd: int32(w.fd), Events: unix.POLLIN}) { //nolint:gosec // a file descriptor
		before := w.count()
		for w.drain() { // the lock is let go in between
		}
		for w.batch(w.count()-before >= busy) {
			before = w.count()
			if !wait(rest, ended) {
				return
			}
			w.sync()
		}
		if !wait(rest, ended) {
			return
		}
	}
}

func (w *watch) count() uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next
}

// batchBy allows reports to wait in the kernel, as the lease's datagram can fetch them.
func (w *watch) batchBy(l *lease) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ask = l
}

// batch makes reports wait for each other, or not, and says which.
func (w *watch) batch(on bool) bool {
	w.mu.Lock()
	on = on && w.ask != nil
	change := on != w.batched && !w.closed
	w.batched = w.batched || on // before the kernel knows, so that nothing waits unasked
	w.mu.Unlock()
	if !change {
		return on
	}
	size := uint32(1)
	if on {
		size = batchSize
	}
	if err := setThreshold(w.fd, w.group, size); err != nil || on {
		return on // batched it may be, and is asked for then
	}
	w.sync()
	w.mu.Lock()
	w.batched = false
	w.mu.Unlock()
	return false
}

// hit says that the fault has met a packet.
func (w *watch) hit() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.firstHit.IsZero()
}

// sync takes what the kernel has reported by now: a report is in the socket before
// its packet goes on, or waits and is asked for. So what happened before sync is
// stamped before it returns.
func (w *watch) sync() {
	w.mu.Lock()
	ask := w.ask
	if !w.batched {
		ask = nil
	}
	w.mu.Unlock()
	if ask != nil {
		if met, err := ask.send(ask.ask); !met || err != nil { // somebody removed the rules
			_, _ = unix.Poll(nil, int((3 * batchLimit).Milliseconds()))
		}
	}
	for n := 0; n < syncMax && w.drain(); n++ {
	}
}

// drain takes a bounded number of reports, and says whether there may be more.
func (w *watch) drain() (more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	for range drainMax {
		n, _, err := unix.Recvfrom(w.fd, w.buf, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOBUFS):
			w.lost = true
		case err != nil || n == 0:
			return false
		default:
			w.take(w.buf[:n], time.Now())
		}
	}
	return true
}

func (w *watch) take(b []byte, now time.Time) {
	reports, err := parseReports(b)
	if err != nil {
		w.lost = true
		return
	}
	for _, r := range reports {
		if r.seq != w.next {
			w.lost = true
		}
		w.next = r.seq + 1
		switch r.prefix {
		case prefixSyn:
			w.add(r.payload, now)
		case prefixHit:
			if w.firstHit.IsZero() {
				w.firstHit = now
			}
		}
	}
}

func (w *watch) add(packet []byte, now time.Time) {
	key, ok := parseSyn(packet)
	if !ok || len(w.attempts) >= maxAttempts {
		w.lost = true
		return
	}
	if _, again := w.known[key]; again {
		return
	}
	w.known[key] = struct{}{}
	w.attempts = append(w.attempts, Attempt{At: now, Source: key.source, Target: key.target})
}

// parseSyn reads the addresses, ports and sequence number of a TCP packet that
// starts at its IP header.
func parseSyn(p []byte) (attemptKey, bool) {
	if len(p) < 20 {
		return attemptKey{}, false
	}
	var source, target netip.Addr
	var segment []byte
	switch p[0] >> 4 {
	case 4:
		length := int(p[0]&0x0f) * 4
		if len(p) < length {
			return attemptKey{}, false
		}
		source, target = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
		segment = p[length:]
	case 6:
		if len(p) < 40 || p[6] != unix.IPPROTO_TCP {
			return attemptKey{}, false
		}
		source, target = netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
		segment = p[40:]
	}
	if len(segment) < 8 {
		return attemptKey{}, false
	}
	return attemptKey{
		source: netip.AddrPortFrom(source, binary.BigEndian.Uint16(segment)),
		target: netip.AddrPortFrom(target, binary.BigEndian.Uint16(segment[2:])),
		seq:    binary.BigEndian.Uint32(segment[4:]),
	}, true
}
