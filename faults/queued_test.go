package faults_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
)

// quickest is the best of some rounds, until one is quick enough: what else the machine
// does makes none quicker.
func quickest(enough time.Duration, round func() time.Duration) time.Duration {
	best := round()
	for range 50 {
		if best <= enough {
			break
		}
		best = min(best, round())
	}
	return best
}

func connect(t *testing.T, to string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", to, patience)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// A round trip takes the latency once more, wherever the target is: here, at another
// host, or reached by another through here. When the fault heals, what is held goes on.
func TestLatency(t *testing.T) {
	t.Parallel()
	const latency = 100 * time.Millisecond
	h := plug(t)
	third := plug(t)
	must(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0))
	serve := func(host string, at *neighbour) (to string) {
		if at == nil {
			return faulttest.Serve(t, host)
		}
		at.there(func() { to = faulttest.Serve(t, host) })
		return to
	}
	for name, c := range map[string]struct {
		to       string
		from     *neighbour
		settings string
	}{
		"here":                {serve("127.0.0.1", nil), nil, ""},
		"here, answers":       {serve("::1", nil), nil, ", direction: in"},
		"another host":        {serve(h.v4, h), nil, ""},
		"another, IPv6":       {serve(h.v6, h), nil, ""},
		"another, answers":    {serve(h.v4, h), nil, ", direction: in"},
		"another, all":        {serve(h.v4, h), nil, ", protocol: all"},
		"another, of a user":  {serve(h.v4, h), nil, ", user: root"},
		"another, every one":  {serve(h.v4, h), nil, ", percent: 100"},
		"in its namespace":    {serve(h.v6, h), nil, ", netns: " + h.netns},
		"served here":         {serve(h.ours[h.v4], nil), h, ""},
		"served here, IPv6":   {serve(h.ours[h.v6], nil), h, ""},
		"served here, answer": {serve(h.ours[h.v4], nil), h, ", direction: in"},
		"through here":        {serve(h.v4, h), third, ""},
		"through, answers":    {serve(h.v4, h), third, ", direction: in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dials := uint64(0)
			dial := func() (took time.Duration) {
				dials++
				connect := func() {
					start := time.Now()
					if err := faulttest.Dial(c.to); err != nil {
						t.Error(err)
					}
					took = time.Since(start)
				}
				if c.from != nil {
					c.from.there(connect)
				} else {
					connect()
				}
				return took
			}
			in := install(t, "latency", `{to: "`+c.to+`", latency: 100ms`+c.settings+`}`, minute("latency"))
			if d := quickest(latency/2, dial); d > latency/2 {
				t.Errorf("disarmed: got %v", d)
			}
			must(t, in.Arm(t.Context()))
			if d := quickest(latency*3/2, dial); d < latency || d > latency*3/2 {
				t.Errorf("armed: got %v, want about %v", d, latency)
			}
			must(t, in.Disarm(t.Context()))
			if d := quickest(latency/2, dial); d > latency/2 {
				t.Errorf("healed: got %v", d)
			}
			e, err := in.Evidence(t.Context())
			must(t, err)
			if e.Packets == 0 || e.Attempts != dials || e.Tampered != "" || e.Overrun != 0 || e.FirstHit.Before(e.Spans[0].From) {
				t.Errorf("evidence: got %+v", e)
			}
		})
	}
}

// Who connects from the target to here is no attempt, though what he sends is late.
func TestLatencyCountsNoAttemptsOfTheTarget(t *testing.T) {
	t.Parallel()
	h := plug(t)
	here, there := faulttest.Serve(t, h.ours[h.v4]), ""
	h.there(func() { there = faulttest.Serve(t, h.v4) })
	in := install(t, "latency", "{to: "+h.v4+", protocol: all, latency: 10ms}", minute("target"))
	must(t, in.Arm(t.Context()))
	h.there(func() { must(t, faulttest.Dial(here)) })
	must(t, faulttest.Dial(there))
	if all, err := in.Attempts(t.Context(), 0); err != nil || len(all) != 1 || all[0].Target.String() != there {
		t.Errorf("got %v, %v, want the one to %s", all, err, there)
	}
}

// What is held when the fault heals goes on at once, also when another hand heals it.
func TestHeldPacketsGoOn(t *testing.T) {
	t.Parallel()
	for name, heal := range map[string]func(t *testing.T, in faults.Injection){
		"by its owner": func(t *testing.T, in faults.Injection) { t.Helper(); must(t, in.Disarm(t.Context())) },
		"by another": func(t *testing.T, in faults.Injection) {
			t.Helper()
			e, err := in.Evidence(t.Context())
			must(t, err)
			_, err = (&faults.Injector{}).Heal(t.Context(), e.Chain)
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := net.ListenPacket("udp", "127.0.0.1:0") // nobody sends a datagram again
			must(t, err)
			defer server.Close()
			for range 10 {
				in := install(t, "latency", "{to: "+server.LocalAddr().String()+", protocol: udp, latency: 1m}", minute("held"))
				must(t, in.Arm(t.Context()))
				conn, err := net.Dial("udp", server.LocalAddr().String())
				must(t, err)
				defer conn.Close()
				_, err = conn.Write([]byte("x"))
				must(t, err)
				eventually(t, patience, "held", func() bool { e, err := in.Evidence(t.Context()); must(t, err); return e.Packets > 0 })
				heal(t, in)
				must(t, server.SetReadDeadline(time.Now().Add(patience)))
				_, _, err = server.ReadFrom(make([]byte, 1))
				e, eerr := in.Evidence(t.Context())
				must(t, eerr)
				if e.Gone == 0 { // else the kernel dropped it: tests beside this one use connection tracking
					must(t, err)
					return
				}
			}
			t.Error("the kernel always dropped what was held")
		})
	}
}

// The kernel drops what all queues of a namespace hold when the last rule that uses
// connection tracking goes. That is not ours to prevent, but to tell.
func TestPacketsThatTheKernelDropsAreTold(t *testing.T) {
	ln, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	in := install(t, "latency", "{to: "+ln.LocalAddr().String()+", protocol: udp, latency: 1m}", minute("gone"))
	must(t, in.Arm(t.Context()))
	conn, err := net.Dial("udp", ln.LocalAddr().String())
	must(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte{1})
	must(t, err)
	eventually(t, patience, "held", func() bool { e, err := in.Evidence(t.Context()); must(t, err); return e.Packets == 1 })
	rule := []string{"FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "ACCEPT"}
	iptables(t, append([]string{"-A"}, rule...)...)
	iptables(t, append([]string{"-D"}, rule...)...)
	must(t, in.Disarm(t.Context()))
	eventually(t, patience, "told", func() bool { e, err := in.Evidence(t.Context()); must(t, err); return e.Gone == 1 })
}

// To delay what a TCP sender sends would slow a stream far beyond the latency.
func TestLatencyLetsAStreamFlow(t *testing.T) {
	t.Parallel()
	const latency, size = 20 * time.Millisecond, 8 << 20
	h := plug(t)
	var ln net.Listener
	var err error
	h.there(func() { ln, err = net.Listen("tcp", h.v4+":0") })
	must(t, err)
	sink(t, ln)
	upload := func() time.Duration { return send(t, ln.Addr().String(), size) }
	in := install(t, "latency", "{to: "+ln.Addr().String()+", latency: 20ms}", minute("stream"))
	must(t, in.Arm(t.Context()))
	took := quickest(100*latency, upload)
	t.Logf("%d MB in %v", size>>20, took)
	if took > 100*latency {
		t.Errorf("%d MB took %v, which is more than 100 round trips of %v", size>>20, took, latency)
	}
}

// send says how long it takes until a sink has read so many bytes.
func send(t *testing.T, to string, size int) time.Duration {
	t.Helper()
	conn := connect(t, to)
	must(t, conn.SetDeadline(time.Now().Add(6*patience)))
	start := time.Now()
	_, err := conn.Write(make([]byte, size))
	must(t, err)
	must(t, conn.(*net.TCPConn).CloseWrite())
	if _, err = conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v", err)
	}
	return time.Since(start)
}

// sink reads all that comes, and closes when its sender does.
func sink(t *testing.T, ln net.Listener) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
}

// Two megabits a second are 250 kB, headers and all; a link that is faster by far takes
// the same bytes in no time.
func TestBandwidth(t *testing.T) {
	t.Parallel()
	h := plug(t)
	for name, at := range map[string]*neighbour{"here": nil, "another host": h} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ln net.Listener
			var err error
			if at == nil {
				ln, err = net.Listen("tcp", "127.0.0.1:0")
			} else {
				at.there(func() { ln, err = net.Listen("tcp", at.v4+":0") })
			}
			must(t, err)
			sink(t, ln)
			in := install(t, "bandwidth", "{to: "+ln.Addr().String()+", rate: 2Mbit/s, burst: 10kB}", minute("bandwidth"))
			must(t, in.Arm(t.Context()))
			const size, rate = 250_000, 250_000
			upload := func() time.Duration { return send(t, ln.Addr().String(), size) }
			if took := upload(); took.Seconds() < 0.9*(size-10_000)/rate || took > 10*time.Second {
				t.Errorf("got %v, want %d bytes to take about %d s", took, size, size/rate)
			}
			must(t, in.Disarm(t.Context()))
			if took := quickest(time.Second/2, upload); took > time.Second/2 {
				t.Errorf("healed: got %v", took)
			}
			if e, err := in.Evidence(t.Context()); err != nil || e.Packets == 0 || e.Tampered != "" {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

// Datagrams show what TCP mends: none arrives, each arrives twice, some are overtaken.
func TestDatagramsAreMangled(t *testing.T) {
	t.Parallel()
	const n = 300
	h := plug(t)
	for name, c := range map[string]struct {
		kind, settings string
		want           func(came []uint32) bool
		packets        [2]uint64
	}{
		"corrupt":    {"corrupt", "packets: 100", func(came []uint32) bool { return len(came) == 0 }, [2]uint64{n, n}},
		"duplicate":  {"duplicate", "packets: 100", func(came []uint32) bool { return len(came) == 2*n }, [2]uint64{n, n}},
		"some twice": {"duplicate", "packets: 30", func(came []uint32) bool { return len(came) > n+n/6 && len(came) < n+n/2 }, [2]uint64{n / 6, n / 2}},
		"reorder": {"reorder", "packets: 20, by: 50ms", func(came []uint32) bool {
			return len(came) == n && !slices.IsSorted(came)
		}, [2]uint64{n / 10, n / 2}},
		"latency": {"latency", "latency: 50ms, jitter: 50ms", func(came []uint32) bool { return len(came) == n && slices.IsSorted(came) }, [2]uint64{n / 2, n}},
	} {
		for where, host := range map[string]string{"here": "127.0.0.1", "here, IPv6": "::1", "another host": h.v4, "another, IPv6": h.v6} {
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel()
				var server *net.UDPConn
				if strings.HasPrefix(where, "here") {
					ln, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
					must(t, err)
					defer ln.Close()
					server = ln.(*net.UDPConn)
					must(t, server.SetReadBuffer(4<<20))
				} else {
					server = h.listenUDP(t, host)
				}
				settings := `{to: "` + server.LocalAddr().String() + `", protocol: udp, ` + c.settings + `}`
				for range 10 {
					came, e := mangle(t, c.kind, settings, server, n)
					if e.Gone > 0 { // tests beside this one use connection tracking
						continue
					}
					if !c.want(came) || e.Packets < c.packets[0] || e.Packets > c.packets[1] || e.Tampered != "" || e.Overrun != 0 {
						t.Errorf("%d of %d came; evidence %+v", len(came), n, e)
					}
					return
				}
				t.Error("the kernel always dropped what was held")
			})
		}
	}
}

// mangle sends numbered datagrams while a fault acts, and one when it has healed.
func mangle(t *testing.T, kind, settings string, server *net.UDPConn, n uint32) (came []uint32, e faults.Evidence) {
	t.Helper()
	in := install(t, kind, settings, minute("datagrams"))
	conn, err := net.Dial("udp", server.LocalAddr().String())
	must(t, err)
	defer conn.Close()
	must(t, in.Arm(t.Context()))
	for i := range n {
		_, err := conn.Write(binary.BigEndian.AppendUint32(nil, i))
		must(t, err)
	}
	came = numbers(t, server, 2*int(n))
	must(t, in.Disarm(t.Context()))
	_, err = conn.Write(binary.BigEndian.AppendUint32(nil, n))
	must(t, err)
	if came := numbers(t, server, 1); len(came) != 1 {
		t.Errorf("healed: got %v, want one", came)
	}
	must(t, in.Close(t.Context()))
	e, err = in.Evidence(t.Context())
	must(t, err)
	return came, e
}

// numbers are what datagrams hold that come until there are so many or it is quiet.
func numbers(t *testing.T, server *net.UDPConn, most int) (all []uint32) {
	t.Helper()
	buf := make([]byte, 4)
	for len(all) < most {
		must(t, server.SetReadDeadline(time.Now().Add(time.Second)))
		if _, err := server.Read(buf); err != nil {
			break
		}
		all = append(all, binary.BigEndian.Uint32(buf))
	}
	return all
}

// The resolver answers 192.0.2.1 to all; what the fault says is heard in its place.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	h := plug(t)
	here, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { here.Close() })
	for name, server := range map[string]net.PacketConn{"here": here, "another host": h.listenUDP(t, h.v4), "another, IPv6": h.listenUDP(t, h.v6)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			go resolve(server)
			to := server.LocalAddr().String()
			look := func(name string) string {
				r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, "udp", to)
				}}
				ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
				defer cancel()
				found, err := r.LookupNetIP(ctx, "ip4", name)
				if dns, ok := errors.AsType[*net.DNSError](err); ok {
					return dns.Err
				}
				must(t, err)
				var text []string
				for _, a := range found {
					text = append(text, a.Unmap().String())
				}
				slices.Sort(text)
				return strings.Join(text, " ")
			}
			in := install(t, "dns", `{to: "`+to+`", answers: {db.example.com: [192.0.2.7, 192.0.2.8], "*.gone.example": nxdomain}}`, minute("answers"))
			const truth = "192.0.2.1"
			if got := look("db.example.com."); got != truth {
				t.Errorf("disarmed: got %s", got)
			}
			must(t, in.Arm(t.Context()))
			if e, err := in.Evidence(t.Context()); err != nil || e.Packets != 0 || !e.FirstHit.IsZero() {
				t.Errorf("before a question: got %+v, %v", e, err)
			}
			for name, want := range map[string]string{"db.example.com.": "192.0.2.7 192.0.2.8", "a.gone.example.": "no such host", "else.example.com.": truth} {
				if got := look(name); got != want {
					t.Errorf("%s: got %s, want %s", name, got, want)
				}
			}
			e, err := in.Evidence(t.Context())
			must(t, err)
			if e.Packets != 2 || e.Tampered != "" || e.FirstHit.IsZero() {
				t.Errorf("got %+v, want the two questions that were answered in the resolver's place", e)
			}
			for range 2 {
				_, err = (&faults.Injector{}).Heal(t.Context(), e.Chain)
				must(t, err)
			}
			if got := look("db.example.com."); got != truth {
				t.Errorf("healed: got %s", got)
			}
			in = install(t, "dns", `{to: "`+to+`", answer: servfail}`, minute("answers"))
			must(t, in.Arm(t.Context()))
			if got := look("any.example.com."); got != "server misbehaving" {
				t.Errorf("answer to all: got %s", got)
			}
		})
	}
}

// resolve answers each question with the same address, until the socket is closed.
func resolve(conn net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
			continue
		}
		m.Response, m.Additionals = true, nil
		a := dnsmessage.AResource{A: netip.MustParseAddr("192.0.2.1").As4()}
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET}, Body: &a}}
		if b, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(b, from)
		}
	}
}
