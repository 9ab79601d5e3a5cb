package nfqueue_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/nfqueue"
	"github.com/foreshock/foreshock/results"
)

// SIGKILL of the owner: from the next packet on, all is as without a fault.
func TestKilledOwnerLeavesTrafficClean(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		to := echoUDP(t, host)
		c, lines := child(t, "-nfqueue.owner")
		if !lines.Scan() {
			t.Fatal("the owner did not start")
		}
		t.Cleanup(leadTo(t, strings.Fields(lines.Text()), "udp", to, "-d", "--dport"))
		conn := dial(t, "udp", to)
		for range 3 {
			if took := ping(t, conn); took < ownerLatency {
				t.Fatalf("got %v with the owner alive, want at least %v", took, ownerLatency)
			}
		}
		start := time.Now()
		must(t, c.Process.Kill())
		_ = c.Wait()
		for {
			asked := time.Now()
			_, err := conn.Write([]byte{1})
			must(t, err)
			must(t, conn.SetReadDeadline(asked.Add(ownerLatency)))
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Logf("clean %v after SIGKILL, with an answer in %v", time.Since(start), time.Since(asked))
				break
			}
			if time.Since(start) > patience {
				t.Fatal("no answer after the owner's death")
			}
		}
		must(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		if took := quickest(ownerLatency/2, func() time.Duration { return ping(t, conn) }); took > ownerLatency/2 {
			t.Errorf("got %v after the owner's death", took)
		}
	})
}

// Close while packets come and are held, with the rules in place: none is lost.
func TestCloseLosesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
		must(t, err)
		defer server.Close()
		must(t, unixBuffer(server, 64<<20))
		to := server.LocalAddr().(*net.UDPAddr).AddrPort()
		q, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Delay{Latency: 30 * time.Second}}})
		must(t, err)
		lead(t, q, "udp", to)
		conn := dial(t, "udp", to)
		var sent uint32
		var stop atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			for !stop.Load() && sent < 8000 { // what the receiver's buffer takes
				_, err := conn.Write(binary.BigEndian.AppendUint32(nil, sent))
				must(t, err)
				sent++
				pace(int(sent))
			}
		})
		eventually(t, patience, "held", func() bool { return q.Counters().Held > 2000 })
		must(t, q.Close())
		stop.Store(true)
		wg.Wait()
		seen := map[uint32]bool{}
		for _, b := range receive(t, server, int(sent), time.Second) {
			seen[binary.BigEndian.Uint32(b)] = true
		}
		if len(seen) != int(sent) {
			t.Errorf("got %d datagrams of %d; %+v", len(seen), sent, q.Counters())
		}
		must(t, q.Close()) // twice does nothing
	})
}

// Close in the middle of a flood that nobody holds: what comes between the last answer
// and the end of the queue is not lost either.
func TestCloseUnderFlood(t *testing.T) {
	t.Parallel()
	host := netip.MustParseAddr("127.0.0.1")
	for range 8 {
		server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
		must(t, err)
		must(t, unixBuffer(server, 64<<20))
		to := server.LocalAddr().(*net.UDPAddr).AddrPort()
		q, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Delay{}}})
		must(t, err)
		remove := lead(t, q, "udp", to)
		conn := dial(t, "udp", to)
		var got int
		var sent atomic.Int64
		var wg sync.WaitGroup
		var stop atomic.Bool
		wg.Go(func() {
			for ended := false; !ended; { // once more when no more is sent
				ended = stop.Load()
				got += len(receive(t, server, math.MaxInt, time.Second/2))
			}
		})
		wg.Go(func() {
			for ; !stop.Load(); sent.Add(1) {
				_, err := conn.Write([]byte{1})
				must(t, err)
			}
		})
		eventually(t, patience, "busy", func() bool { return q.Counters().Received > 1000 })
		must(t, q.Close())
		stop.Store(true)
		wg.Wait()
		if lost := int(sent.Load()) - got - overrun(t, to.Port()); lost != 0 {
			t.Errorf("lost %d of %d; %+v", lost, sent.Load(), q.Counters())
		}
		server.Close()
		remove()
	}
}

// overrun is how many datagrams found a socket's buffer full.
func overrun(tb testing.TB, port uint16) int {
	tb.Helper()
	b, err := os.ReadFile("/proc/thread-self/net/udp")
	must(tb, err)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			n, err := strconv.Atoi(f[len(f)-1])
			must(tb, err)
			return n
		}
	}
	tb.Fatalf("no socket with port %d", port)
	return 0
}

func unixBuffer(conn *net.UDPConn, size int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		if inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size); inner != nil {
			inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
	})
	return errors.Join(err, inner)
}

// Release heals what is held at once, and the queue works on.
func TestRelease(t *testing.T) {
	t.Parallel()
	to := echoUDP(t, netip.MustParseAddr("127.0.0.1"))
	q := open(t, &nfqueue.Delay{Latency: 10 * time.Second})
	lead(t, q, "udp", to)
	conn := dial(t, "udp", to)
	for range 2 {
		_, err := conn.Write([]byte{1})
		must(t, err)
		eventually(t, patience, "held", func() bool { return q.Counters().Held == 1 })
		start := time.Now()
		q.Release()
		_, err = conn.Read(make([]byte, 1))
		must(t, err)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("released after %v", took)
		}
	}
}

// What goes on still meets the host's own rules behind ours.
func TestTheHostsFirewallStillDecides(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		q := open(t, &nfqueue.Delay{Latency: time.Millisecond})
		server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
		must(t, err)
		defer server.Close()
		to := server.LocalAddr().(*net.UDPAddr).AddrPort()
		// It knows a packet by its own mark still, beside our bit.
		iptables(t, host, "-A", "INPUT", "-p", "udp", "--dport", fmt.Sprint(to.Port()), "-m", "mark", "--mark", "0x77/0xff", "-j", "DROP")
		lead(t, q, "udp", to)
		for i, mark := range []int{0x77, 0x78} {
			conn := dial(t, "udp", to)
			raw, err := conn.(*net.UDPConn).SyscallConn()
			must(t, err)
			must(t, raw.Control(func(fd uintptr) { must(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, mark)) }))
			_, err = conn.Write([]byte{byte(mark)})
			must(t, err)
			eventually(t, patience, "passed", func() bool { return q.Counters().Passed == uint64(i+1) })
		}
		if got := receive(t, server, 2, time.Second/2); len(got) != 1 || got[0][0] != 0x78 {
			t.Errorf("got %v, want the datagram that the host's firewall does not drop, and no other", got)
		}
	})
}

// More than may wait: the rest goes on at once, and is counted.
func TestOverflowGoesOn(t *testing.T) {
	t.Parallel()
	q, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Delay{Latency: time.Second}}, MaxHeld: 100})
	must(t, err)
	defer q.Close()
	if got := len(datagrams(t, q, netip.MustParseAddr("127.0.0.1"), 1000)); got != 1000 {
		t.Errorf("got %d datagrams, want all 1000", got)
	}
	if c := q.Counters(); c.Overflow == 0 || c.Overflow > 900 || c.MaxHeld != 100 || c.Passed != 1000 {
		t.Errorf("got %+v, want 100 held, and 900 overflown (less if the sender was interrupted for a second)", c)
	}
}

// pace keeps a sender from outrunning the receiver's buffer.
func pace(sent int) {
	if sent%100 == 0 {
		time.Sleep(time.Millisecond)
	}
}

// stuck is a stage that takes too long, as an owner without CPU does.
type stuck struct {
	until chan struct{}
	seen  int
}

func (*stuck) Name() string       { return "stuck" }
func (*stuck) Check() error       { return nil }
func (*stuck) Need() nfqueue.Need { return nfqueue.Headers }
func (s *stuck) Decide(*nfqueue.Packet, time.Time) nfqueue.Decision {
	<-s.until
	s.seen++
	pace(s.seen)
	return nfqueue.Decision{}
}

// A queue that does not answer: the kernel keeps some packets and lets the others pass,
// and none is lost.
func TestSlowOwnerMissesAndCounts(t *testing.T) {
	t.Parallel()
	const n = 30_000
	until := make(chan struct{})
	q := open(t, &stuck{until: until})
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer server.Close()
	must(t, unixBuffer(server, 256<<20))
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	lead(t, q, "udp", to)
	conn := dial(t, "udp", to)
	var got atomic.Int32
	var wg sync.WaitGroup
	wg.Go(func() { got.Store(int32(len(receive(t, server, n, patience)))) })
	for i := range n {
		_, err := conn.Write([]byte{1})
		must(t, err)
		pace(i)
	}
	close(until)
	wg.Wait()
	if got.Load() != n {
		t.Errorf("got %d datagrams of %d", got.Load(), n)
	}
	// What passed unasked behind the last that was asked leaves no gap to count.
	if _, err := conn.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "counted", func() bool { c := q.Counters(); return c.Missed > 0 && c.Received+c.Missed == n+1 })
}

func TestOpenWithoutPermission(t *testing.T) {
	t.Parallel()
	var err error
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if cerr := unix.Capset(&head, &none[0]); cerr != nil {
			t.Error(cerr)
		}
		_, err = nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Drop{Percent: 1}}})
	})
	wg.Wait()
	if status, cause := results.Judge(err); status != results.Unknown || cause != results.CausePermission || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("got %v (%v, %v), want unknown, for the permission is missing", err, status, cause)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	one := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		stage nfqueue.Stage
		want  string
	}{
		{&nfqueue.Delay{Latency: -1}, "delay: latency: got -1ns, want 0 to 1m0s"},
		{&nfqueue.Delay{Latency: time.Second, Jitter: 2 * time.Second}, "delay: jitter: got 2s, want 0 to the latency, which is 1s"},
		{&nfqueue.Delay{Distribution: 7}, "delay: distribution: got 7, want Uniform or Normal"},
		{&nfqueue.Drop{}, "drop: percent: got 0, want more than 0 and at most 100"},
		{&nfqueue.Corrupt{Percent: 101}, "corrupt: percent: got 101, want more than 0 and at most 100"},
		{&nfqueue.Duplicate{Percent: -1}, "duplicate: percent: got -1, want more than 0 and at most 100"},
		{&nfqueue.Reorder{Percent: 1}, "reorder: by: got 0s, want more than 0 and at most 1m0s"},
		{&nfqueue.Bandwidth{}, "bandwidth: rate: got 0 bytes a second, want at least 1"},
		{&nfqueue.DNS{}, "dns: answers: got none, want at least one name"},
		{&nfqueue.DNS{Answers: map[string]nfqueue.DNSAnswer{"a.*.b": {}}}, `dns: answers: got name "a.*.b", want one such as db.example.com, *.example.com or *`},
		{&nfqueue.DNS{Answers: map[string]nfqueue.DNSAnswer{"a": {}}}, "dns: answers: got nothing for a, want addresses or a failure"},
		{&nfqueue.DNS{Answers: map[string]nfqueue.DNSAnswer{"a": {Addresses: []netip.Addr{one}, Failure: nfqueue.NXDomain}}}, "dns: answers: got addresses and a failure for a, want one of them"},
	} {
		if _, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{c.stage}}); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := nfqueue.Open(nfqueue.Options{}); err == nil {
		t.Error("got a queue without stages")
	}
	if _, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Delay{}}, Mark: 3}); err == nil {
		t.Error("got a queue with a mark of two bits")
	}
}
