package faults_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/proof"
)

// A neighbour is another host: a namespace of its own at the other end of a cable.
type neighbour struct {
	netns string            // the path of its namespace
	v4    string            // its address
	v6    string            // likewise
	ours  map[string]string // our address by its own
	jobs  chan func()
}

var neighbours atomic.Int32 // numbers the cables of this process

// plug makes a neighbour, as long as the test lasts.
func plug(t *testing.T) *neighbour {
	t.Helper()
	h := &neighbour{jobs: make(chan func())}
	ready, failed := make(chan int), make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends, and with it the namespace
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			failed <- err
			return
		}
		ready <- unix.Gettid()
		for job := range h.jobs {
			job()
		}
	})
	t.Cleanup(func() { close(h.jobs); wg.Wait() })
	var tid int
	select {
	case tid = <-ready:
	case err := <-failed:
		t.Fatal(err)
	}
	n := neighbours.Add(1)
	h.netns = "/proc/" + strconv.Itoa(os.Getpid()) + "/task/" + strconv.Itoa(tid) + "/ns/net"
	h.v4, h.v6 = fmt.Sprintf("10.77.%d.2", n), fmt.Sprintf("fd77:%d::2", n)
	h.ours = map[string]string{h.v4: fmt.Sprintf("10.77.%d.1", n), h.v6: fmt.Sprintf("fd77:%d::1", n)}
	cable := fmt.Sprintf("fs%d", n)
	ip(t, "link", "add", cable, "type", "veth", "peer", "name", "wire", "netns", strconv.Itoa(tid))
	t.Cleanup(func() { ip(t, "link", "del", cable) })
	address := func(device, v4, v6 string) {
		ip(t, "addr", "add", v4+"/24", "dev", device)
		ip(t, "addr", "add", v6+"/64", "dev", device, "nodad")
		ip(t, "link", "set", device, "up")
	}
	address(cable, h.ours[h.v4], h.ours[h.v6])
	h.there(func() {
		ip(t, "link", "set", "lo", "up")
		address("wire", h.v4, h.v6)
		ip(t, "route", "add", "default", "via", h.ours[h.v4])
	})
	for _, host := range []string{h.v4, h.v6} { // until each knows the other's hardware address
		eventually(t, patience, "linked", func() bool {
			return errors.Is(faulttest.DialFor(net.JoinHostPort(host, "9"), patience), unix.ECONNREFUSED)
		})
	}
	return h
}

// there runs what opens sockets or starts programs in the neighbour's namespace.
func (h *neighbour) there(job func()) {
	done := make(chan struct{})
	h.jobs <- func() { defer close(done); job() }
	<-done
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		proof.Lacks(t, "ip is not installed (apt-get install iproute2)")
	}
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Errorf("ip %v: %v: %s", args, err, out)
	}
}

// listenUDP opens a socket at the neighbour's.
func (h *neighbour) listenUDP(t *testing.T, host string) *net.UDPConn {
	t.Helper()
	var conn net.PacketConn
	var err error
	h.there(func() { conn, err = net.ListenPacket("udp", net.JoinHostPort(host, "0")) })
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.(*net.UDPConn).SetReadBuffer(4<<20))
	return conn.(*net.UDPConn)
}
