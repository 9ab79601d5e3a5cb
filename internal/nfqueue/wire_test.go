package nfqueue_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/nfqueue"
	"github.com/foreshock/foreshock/internal/proof"
)

var wires atomic.Int32

// far is another host: a namespace at the end of a cable with an MTU of 1,500.
type far struct {
	v4, v6 netip.Addr
	do     func(func()) // on a thread there
}

func outside(tb testing.TB) far {
	tb.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		proof.Lacks(tb, "ip is not installed (apt-get install iproute2)")
	}
	work, tid := make(chan func()), make(chan int)
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			tb.Error(err)
		}
		tid <- unix.Gettid()
		for f := range work {
			f()
		}
	})
	tb.Cleanup(func() { close(work); wg.Wait() })
	n := int(wires.Add(1))
	near, end, thread := fmt.Sprintf("n%d", n), fmt.Sprintf("f%d", n), fmt.Sprint(<-tid)
	f := far{
		v4: netip.AddrFrom4([4]byte{10, 99, byte(n), 2}), v6: netip.MustParseAddr(fmt.Sprintf("fd00:99:%x::2", n)),
		do: func(fn func()) {
			done := make(chan struct{})
			work <- func() { defer close(done); fn() }
			<-done
		},
	}
	ip(tb, "link", "add", near, "type", "veth", "peer", "name", end)
	ip(tb, "link", "set", end, "netns", thread)
	up := func(device, v4, v6 string) {
		ip(tb, "addr", "add", v4, "dev", device)
		ip(tb, "addr", "add", v6, "dev", device, "nodad")
		ip(tb, "link", "set", device, "up")
	}
	up(near, fmt.Sprintf("10.99.%d.1/24", n), fmt.Sprintf("fd00:99:%x::1/64", n))
	f.do(func() {
		up(end, f.v4.String()+"/24", f.v6.String()+"/64")
	})
	return f
}

func ip(tb testing.TB, args ...string) {
	tb.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		proof.Lacks(tb, fmt.Sprintf("ip %s: %s (modprobe veth)", strings.Join(args, " "), out))
	}
}

// A DROP rule in OUTPUT would tell the sender EPERM; the queue says nothing.
func TestDropOnTheWayOutIsSilent(t *testing.T) {
	t.Parallel()
	remote := outside(t)
	for _, host := range []netip.Addr{remote.v4, remote.v6} {
		q := open(t, &nfqueue.Drop{Percent: 100})
		to := netip.AddrPortFrom(host, 9)
		lead(t, q, "udp", to)
		conn := dial(t, "udp", to)
		for range 10 {
			_, err := conn.Write([]byte("x"))
			must(t, err)
		}
		eventually(t, patience, "dropped", func() bool { return q.Counters().Dropped == 10 })
	}
}

// Large segments that the host has not cut yet are cut where a stage looks at each
// packet of the wire; every byte arrives.
func TestSegmentsAreCut(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	for name, stage := range map[string]func() nfqueue.Stage{
		"drop":      func() nfqueue.Stage { return &nfqueue.Drop{Percent: 0.2} },
		"corrupt":   func() nfqueue.Stage { return &nfqueue.Corrupt{Percent: 0.2} },
		"duplicate": func() nfqueue.Stage { return &nfqueue.Duplicate{Percent: 5} },
		"bandwidth": func() nfqueue.Stage { return &nfqueue.Bandwidth{Rate: 20e6} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remote := outside(t)
			for _, host := range []netip.Addr{remote.v4, remote.v6} {
				q := open(t, stage())
				var to netip.AddrPort
				remote.do(func() { to = echoTCP(t, host) })
				lead(t, q, "tcp", to)
				transfer(t, dial(t, "tcp", to), size)
				if c := q.Counters(); c.Received < size/1500 || c.Missed+c.Overflow+c.Gone+c.Failed != 0 {
					t.Errorf("got %+v, want the %d packets of the wire and none missed", c, size/1500)
				}
			}
		})
	}
}

// A delay takes large segments whole, and does not slow a stream beyond its latency:
// on the server's side, or on the client's on the way back.
func TestLargeSegmentsAreDelayedWhole(t *testing.T) {
	t.Parallel()
	const size, latency = 8 << 20, 5 * time.Millisecond
	for name, client := range map[string]bool{"server": false, "client": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remote := outside(t)
			for _, host := range []netip.Addr{remote.v4, remote.v6} {
				var to netip.AddrPort
				var q *nfqueue.Queue
				once := func() time.Duration {
					start := time.Now()
					transfer(t, dial(t, "tcp", to), size)
					return time.Since(start)
				}
				remote.do(func() { to = echoTCP(t, host) })
				limit := max(5*time.Second, 20*once()) // what else the machine does, it does without a queue too
				remote.do(func() {
					if !client {
						q = open(t, &nfqueue.Delay{Latency: latency}) // there, for it is that thread's namespace
						leadTo(t, q.Action(), "tcp", to, "-d", "--dport")
					}
				})
				if client {
					q = open(t, &nfqueue.Delay{Latency: latency})
					leadBack(t, q, "tcp", to)
				}
				took, c := once(), q.Counters()
				if took > limit || c.Received > size/1500 || c.Stages[0].Hit != c.Received || c.Missed+c.Overflow+c.Gone != 0 {
					t.Errorf("got %v and %+v, want less than %v and larger packets than the wire's", took, c, limit)
				}
				t.Log(took, c.Received, c.MaxHeld)
			}
		})
	}
}

// A packet that goes on from OUTPUT carries one bit more in its mark, which must not
// change its way.
func TestForwardedTraffic(t *testing.T) {
	t.Parallel()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600); err != nil {
		proof.Lacks(t, fmt.Sprintf("no forwarding here: %v", err))
	}
	a, b := outside(t), outside(t)
	via := func(f far, to netip.Addr) {
		gateway := netip.AddrFrom4([4]byte{10, 99, f.v4.As4()[2], 1})
		f.do(func() { ip(t, "route", "add", to.String(), "via", gateway.String()) })
	}
	via(a, b.v4)
	via(b, a.v4)
	q := open(t, &nfqueue.Delay{Latency: 30 * time.Millisecond}, &nfqueue.Duplicate{Percent: 100})
	var to netip.AddrPort
	b.do(func() { to = echoTCP(t, b.v4) })
	lead(t, q, "tcp", to)
	var conn net.Conn
	a.do(func() { conn = dial(t, "tcp", to) })
	if took := quickest(45*time.Millisecond, func() time.Duration { return ping(t, conn) }); took < 30*time.Millisecond || took > 45*time.Millisecond {
		t.Errorf("got %v, want about 30ms", took)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	_, err := io.Copy(io.Discard, conn)
	must(t, err)
	if c := q.Counters(); c.Sent == 0 || c.Failed != 0 {
		t.Errorf("got %+v, want copies sent", c)
	}
}
