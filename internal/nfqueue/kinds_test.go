package nfqueue_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/nfqueue"
)

// receive returns the datagrams that come until there are so many, or it is quiet.
func receive(tb testing.TB, server *net.UDPConn, most int, quiet time.Duration) [][]byte {
	tb.Helper()
	var all [][]byte
	buf := make([]byte, 1<<16)
	for len(all) < most {
		must(tb, server.SetReadDeadline(time.Now().Add(quiet)))
		n, err := server.Read(buf)
		if err != nil {
			return all
		}
		all = append(all, bytes.Clone(buf[:n]))
	}
	return all
}

// datagrams sends n numbered datagrams through a queue, and returns the numbers as
// they came.
func datagrams(tb testing.TB, q *nfqueue.Queue, host netip.Addr, n int) []uint32 {
	tb.Helper()
	server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	must(tb, err)
	defer server.Close()
	must(tb, server.SetReadBuffer(4<<20))
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	lead(tb, q, "udp", to)
	conn := dial(tb, "udp", to)
	for i := range n {
		_, err := conn.Write(binary.BigEndian.AppendUint32(nil, uint32(i)))
		must(tb, err)
	}
	eventually(tb, patience, "through", func() bool {
		c := q.Counters()
		return c.Received == uint64(n) && c.Passed+c.Dropped == uint64(n)
	})
	var all []uint32
	for _, b := range receive(tb, server, 2*n, time.Second/2) {
		all = append(all, binary.BigEndian.Uint32(b))
	}
	return all
}

func TestDropLosesItsShare(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		q := open(t, &nfqueue.Drop{Percent: 30})
		got := len(datagrams(t, q, host, 2000))
		if got < 1270 || got > 1530 { // five deviations
			t.Errorf("got %d of 2000 through, want about 1400", got)
		}
		if c := q.Counters(); c.Received != 2000 || c.Stages[0].Dropped != uint64(2000-got) || c.Dropped != uint64(2000-got) {
			t.Errorf("got %+v, want 2000 received and %d dropped", c, 2000-got)
		}
	})
}

func TestDuplicate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		q := open(t, &nfqueue.Duplicate{Percent: 100})
		times := map[uint32]int{}
		for _, i := range datagrams(t, q, host, 500) {
			times[i]++
		}
		for i := range uint32(500) {
			if times[i] != 2 {
				t.Fatalf("datagram %d came %d times, want 2; %+v", i, times[i], q.Counters())
			}
		}
		if c := q.Counters(); c.Received != 500 || c.Sent != 500 || c.Failed != 0 {
			t.Errorf("got %+v, want 500 received, for the copies are not met again, and 500 sent", c)
		}
	})
}

func TestReorder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		q := open(t, &nfqueue.Reorder{Percent: 10, By: 500 * time.Millisecond})
		got := datagrams(t, q, host, 1000)
		if len(got) != 1000 {
			t.Errorf("got %d datagrams, want all 1000", len(got))
		}
		overtaken, highest := 0, uint32(0)
		for _, i := range got {
			if i < highest {
				overtaken++
			}
			highest = max(highest, i)
		}
		if overtaken < 50 || overtaken > 160 {
			t.Errorf("got %d overtaken, want about 100", overtaken)
		}
	})
}

// The receiver's kernel sees the broken checksum and counts it.
func TestCorruptIsSeenByTheKernel(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} { // not in parallel: counters are the namespace's
		t.Run(host, func(t *testing.T) {
			addr := netip.MustParseAddr(host)
			q := open(t, &nfqueue.Corrupt{Percent: 100})
			before := checksumErrors(t, addr)
			if got := len(datagrams(t, q, addr, 100)); got != 0 {
				t.Errorf("got %d broken datagrams, want none to reach the application", got)
			}
			if n := checksumErrors(t, addr) - before; n != 100 {
				t.Errorf("the kernel counted %d checksum errors, want 100; %+v", n, q.Counters())
			}
		})
	}
}

func checksumErrors(tb testing.TB, host netip.Addr) int {
	tb.Helper()
	b, err := os.ReadFile("/proc/thread-self/net/snmp6")
	if host.Is4() {
		b, err = os.ReadFile("/proc/thread-self/net/snmp")
	}
	must(tb, err)
	var names []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		switch {
		case f[0] == "Udp6InCsumErrors":
			n, _ := strconv.Atoi(f[1])
			return n
		case f[0] == "Udp:" && names == nil:
			names = f
		case f[0] == "Udp:":
			for i, name := range names {
				if name == "InCsumErrors" {
					n, _ := strconv.Atoi(f[i])
					return n
				}
			}
		}
	}
	tb.Fatal("no InCsumErrors")
	return 0
}

// TCP mends what was broken, doubled, swapped or lost: every byte arrives.
func TestTCPSurvives(t *testing.T) {
	t.Parallel()
	for name, stages := range map[string]func() []nfqueue.Stage{
		"corrupt":   func() []nfqueue.Stage { return []nfqueue.Stage{&nfqueue.Corrupt{Percent: 5}} },
		"duplicate": func() []nfqueue.Stage { return []nfqueue.Stage{&nfqueue.Duplicate{Percent: 20}} },
		"reorder": func() []nfqueue.Stage {
			return []nfqueue.Stage{&nfqueue.Reorder{Percent: 10, By: 3 * time.Millisecond}}
		},
		"drop": func() []nfqueue.Stage { return []nfqueue.Stage{&nfqueue.Drop{Percent: 2}} },
		"all": func() []nfqueue.Stage {
			return []nfqueue.Stage{
				&nfqueue.Delay{Latency: 2 * time.Millisecond, Jitter: time.Millisecond},
				&nfqueue.Drop{Percent: 1},
				&nfqueue.Duplicate{Percent: 5}, &nfqueue.Corrupt{Percent: 1},
				&nfqueue.Reorder{Percent: 2, By: 2 * time.Millisecond},
				&nfqueue.Bandwidth{Rate: 50e6},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, host netip.Addr) {
				t.Helper()
				q := open(t, stages()...)
				to := echoTCP(t, host)
				lead(t, q, "tcp", to)
				transfer(t, dial(t, "tcp", to), 1<<20)
				c := q.Counters()
				if c.Received == 0 || c.Received != c.Passed+c.Dropped+c.Held || c.Missed+c.Gone+c.Failed != 0 {
					t.Errorf("got %+v, want every packet accounted for", c)
				}
			})
		})
	}
}

// transfer sends random bytes to an echo and wants the same back.
func transfer(tb testing.TB, conn net.Conn, size int) {
	tb.Helper()
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := conn.Write(sent); err != nil {
			tb.Error(err)
		}
	})
	got := make([]byte, size)
	_, err := io.ReadFull(conn, got)
	wg.Wait()
	must(tb, err)
	if !bytes.Equal(got, sent) {
		tb.Error("other bytes came back than were sent")
	}
}

// 200 KB a second: what comes at 2,000 datagrams of 1,000 bytes a second is ten times
// too much. More never passes; that less passes may be a busy machine's doing.
func TestBandwidth(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		var rate float64
		for range 8 {
			if rate = narrow(t, host); rate > 210_000 {
				t.Fatalf("got %.0f bytes a second, want 200000", rate)
			}
			if rate > 190_000 {
				return
			}
		}
		t.Errorf("never more than %.0f bytes a second, want 200000", rate)
	})
}

// narrow floods a link of 200 KB a second for a second, and returns what came through.
func narrow(t *testing.T, host netip.Addr) (rate float64) {
	t.Helper()
	q := open(t, &nfqueue.Bandwidth{Rate: 200_000, Burst: 10_000, Queue: 50_000})
	server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	must(t, err)
	defer server.Close()
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	defer lead(t, q, "udp", to)()
	conn := dial(t, "udp", to)
	start, packets := time.Now(), uint64(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for time.Since(start) < time.Second {
			<-tick.C
			_, _ = conn.Write(make([]byte, 1000))
			_, _ = conn.Write(make([]byte, 1000))
			packets += 2
		}
	})
	overhead, bytes, last := 28, 0, start
	if host.Is6() {
		overhead = 48
	}
	buf := make([]byte, 2000)
	for {
		must(t, server.SetReadDeadline(time.Now().Add(time.Second/2)))
		n, err := server.Read(buf)
		if err != nil {
			break
		}
		bytes += n + overhead
		last = time.Now()
	}
	wg.Wait()
	c := q.Counters()
	if c.Received != packets || c.Passed+c.Dropped != c.Received || c.Stages[0].Dropped != c.Dropped {
		t.Errorf("got %+v, want the rest of %d dropped and counted", c, packets)
	}
	return float64(bytes-10_000) / last.Sub(start).Seconds()
}

func TestDNS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, host netip.Addr) {
		t.Helper()
		real := serveDNS(t, host)
		q := open(t, &nfqueue.DNS{Answers: map[string]nfqueue.DNSAnswer{
			"db.example.com":    {Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}},
			"gone.example.com":  {Failure: nfqueue.NXDomain},
			"*.Bad.example.com": {Failure: nfqueue.ServFail},
		}})
		remove := lead(t, q, "udp", real)
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", real.String())
		}}
		look := func(network, name string) ([]netip.Addr, error) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return r.LookupNetIP(ctx, network, name)
		}
		for _, c := range []struct{ network, name, want string }{
			{"ip4", "db.example.com.", "192.0.2.7"},
			{"ip6", "DB.example.com.", "2001:db8::7"},
			{"ip4", "else.example.com.", "192.0.2.1"}, // the real server's
		} {
			got, err := look(c.network, c.name)
			if err != nil || len(got) != 1 || got[0].Unmap().String() != c.want {
				t.Errorf("%s: got %v, %v, want %s", c.name, got, err, c.want)
			}
		}
		var e *net.DNSError
		if _, err := look("ip4", "gone.example.com."); !errors.As(err, &e) || !e.IsNotFound {
			t.Errorf("gone.example.com: got %v, want no such host", err)
		}
		if _, err := look("ip4", "a.b.bad.example.com."); !errors.As(err, &e) || !e.IsTemporary {
			t.Errorf("bad.example.com: got %v, want a server failure", err)
		}
		eventually(t, patience, "an answer for each query that was dropped", func() bool {
			c := q.Counters()
			return c.Failed == 0 && c.Sent == c.Dropped && c.Stages[0].Hit == c.Dropped && c.Passed > 0
		})
		remove()
		if got, err := look("ip4", "db.example.com."); err != nil || got[0].Unmap().String() != "192.0.2.1" {
			t.Errorf("after healing: got %v, %v, want the real answer", got, err)
		}
	})
}

// A packet of loopback may be larger than the line; the link still moves.
func TestNarrowLinkTakesALargePacket(t *testing.T) {
	t.Parallel()
	b := &nfqueue.Bandwidth{Rate: 1000, Burst: 1, Queue: 1}
	now := time.Now()
	large := &nfqueue.Packet{Length: 5000}
	for _, c := range []struct {
		at   time.Duration
		want nfqueue.Decision
	}{
		{0, nfqueue.Decision{Until: now.Add(4999 * time.Millisecond)}},
		{time.Second, nfqueue.Decision{Drop: true}},
		{5 * time.Second, nfqueue.Decision{Until: now.Add(9999 * time.Millisecond)}},
	} {
		if got := b.Decide(large, now.Add(c.at)); got.Drop != c.want.Drop || got.Until.Sub(c.want.Until).Abs() > time.Millisecond {
			t.Errorf("at %v: got %v, want %v", c.at, got, c.want)
		}
	}
}
