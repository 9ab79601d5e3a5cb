package faults_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults/faulttest"
)

const patience = 5 * time.Second

// A packet that passes loopback twice is lost as rarely as one that passes once.
func TestLossIsThePercentageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	const datagrams, percent = 5000, 20
	ln, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	must(t, ln.(*net.UDPConn).SetReadBuffer(4<<20))
	in := install(t, "loss", "{to: "+ln.LocalAddr().String()+", protocol: udp, packets: "+strconv.Itoa(percent)+"}", minute("loss"))
	conn, err := net.Dial("udp", ln.LocalAddr().String())
	must(t, err)
	defer conn.Close()
	must(t, in.Arm(t.Context()))
	arrived, buf := 0, make([]byte, 1)
	for range datagrams {
		if _, err := conn.Write(buf); err != nil {
			t.Fatalf("send: got %v, want none: no network tells the sender", err)
		}
		must(t, ln.SetReadDeadline(time.Now().Add(time.Millisecond)))
		if _, _, err := ln.ReadFrom(buf); err == nil {
			arrived++
		}
	}
	for must(t, ln.SetReadDeadline(time.Now().Add(100*time.Millisecond))); ; arrived++ {
		if _, _, err := ln.ReadFrom(buf); err != nil {
			break
		}
	}
	e, err := in.Evidence(t.Context())
	must(t, err)
	lost := 100 * float64(datagrams-arrived) / datagrams
	t.Logf("%.1f %% of %d lost", lost, datagrams)
	if lost < percent-2.5 || lost > percent+2.5 || e.Packets != uint64(datagrams-arrived) {
		t.Errorf("lost %.1f %%, want %d; %d packets met, want %d", lost, percent, e.Packets, datagrams-arrived)
	}
}

func TestResetSparesNewConnections(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "reset", "to: "+to, minute("reset"))
	old, err := net.Dial("tcp", to)
	must(t, err)
	defer old.Close()
	must(t, faulttest.Echo(old, patience))
	must(t, in.Arm(t.Context()))
	for range 3 {
		conn, err := net.Dial("tcp", to)
		must(t, err)
		for range 3 {
			if err := faulttest.Echo(conn, patience); err != nil {
				t.Errorf("on a new connection: got %v", err)
			}
		}
		conn.Close()
	}
	if err := faulttest.Echo(old, patience); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("on the old connection: got %v, want a reset", err)
	}
}

func TestConnectionsHaveRoomForSoMany(t *testing.T) {
	t.Parallel()
	const most = 3
	for _, host := range []string{"127.0.0.1", "::1"} {
		to := faulttest.Serve(t, host)
		in := install(t, "connections", "{to: \""+to+"\", beyond: reset, most: "+strconv.Itoa(most)+"}", minute("connections"))
		must(t, in.Arm(t.Context()))
		var open []net.Conn
		for range most {
			conn, err := net.Dial("tcp", to)
			must(t, err)
			defer conn.Close()
			open = append(open, conn)
		}
		for range 3 {
			if err := faulttest.Dial(to); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: one more than %d: got %v, want it refused", host, most, err)
			}
		}
		for _, conn := range open {
			must(t, faulttest.Echo(conn, patience))
		}
		must(t, open[0].(*net.TCPConn).SetLinger(0))
		open[0].Close()
		eventually(t, patience, "room for another", dials(to))
		if e, err := in.Evidence(t.Context()); err != nil || e.Packets < 3 {
			t.Errorf("%s: got %d packets, %v, want at least the 3 that were refused", host, e.Packets, err)
		}
	}
}

// The target hears the question and its answer gets lost; or it hears nothing.
func TestBlackholeIsOfOneDirection(t *testing.T) {
	t.Parallel()
	for direction, heard := range map[string]bool{"in": true, "out": false} {
		server, err := net.ListenPacket("udp", "127.0.0.1:0")
		must(t, err)
		defer server.Close()
		in := install(t, "blackhole", "{to: "+server.LocalAddr().String()+", protocol: udp, direction: "+direction+"}", minute("blackhole"))
		must(t, in.Arm(t.Context()))
		client, err := net.Dial("udp", server.LocalAddr().String())
		must(t, err)
		defer client.Close()
		_, err = client.Write([]byte("q"))
		must(t, err)
		must(t, server.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		_, from, err := server.ReadFrom(make([]byte, 1))
		if (err == nil) != heard {
			t.Fatalf("%s: the target heard: %v, want %v", direction, err == nil, heard)
		}
		if !heard {
			from = client.LocalAddr()
		}
		_, err = server.WriteTo([]byte("a"), from)
		must(t, err)
		must(t, client.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		if _, err = client.Read(make([]byte, 1)); (err == nil) == heard {
			t.Errorf("%s: the client heard: %v, want %v", direction, err == nil, !heard)
		}
	}
}

func TestPartitionIsBetweenItsGroups(t *testing.T) {
	t.Parallel()
	_, port, _ := net.SplitHostPort(faulttest.Serve(t, "0.0.0.0"))
	in := install(t, "partition", "{between: [127.0.5.1, 127.0.5.2], and: 127.0.6.0/24}", minute("partition"))
	must(t, in.Arm(t.Context()))
	for _, c := range []struct {
		from, to string
		cut      bool
	}{
		{"127.0.5.1", "127.0.6.1", true},
		{"127.0.6.9", "127.0.5.2", true}, // the other way
		{"127.0.5.1", "127.0.5.2", false},
		{"127.0.6.1", "127.0.6.2", false},
		{"127.0.0.1", "127.0.6.1", false},
		{"127.0.5.1", "127.0.0.1", false},
	} {
		if err := dialFrom(c.from, net.JoinHostPort(c.to, port)); (err != nil) != c.cut {
			t.Errorf("from %s to %s: got %v, want it cut: %v", c.from, c.to, err, c.cut)
		}
	}
}

// A real resolver asks over UDP; what it says is what an application hears.
func TestDNS(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{"refuse": "connection refused", "drop": "i/o timeout"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			ln, err := net.ListenPacket("udp", "127.0.0.1:0")
			must(t, err)
			defer ln.Close()
			resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "udp", ln.LocalAddr().String())
			}}
			in := install(t, "dns", "{to: "+ln.LocalAddr().String()+", answer: "+answer+"}", minute("dns"))
			must(t, in.Arm(t.Context()))
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			_, err = resolver.LookupHost(ctx, "shop.example.")
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if e, err := in.Evidence(t.Context()); err != nil || e.Packets == 0 {
				t.Errorf("got %d packets, %v", e.Packets, err)
			}
		})
	}
}
