package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

func TestPaymentsStopAndComeBack(t *testing.T) {
	t.Parallel()
	catalog, payments := start(t, "catalog", "--listen", "127.0.0.1:0"), start(t, "payments", "--listen", "127.0.0.1:0")
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--catalog", catalog.url, "--payments", payments.url,
		"--failures", "2", "--open-for", "200ms")
	c := visitor(t)
	if !place(t, c, shop.url, "a").Paid {
		t.Fatal("payments are well, and the order is not paid")
	}
	payments.stop()
	for _, id := range []string{"b", "c", "d"} {
		if place(t, c, shop.url, id).Paid {
			t.Fatal("payments are stopped, and the order is paid")
		}
	}
	if b := breakerOf(t, c, shop.url, "payments"); b.State != breaker.Open || b.Failures != 2 || b.Rejected != 1 {
		t.Errorf("got %v with %d failures and %d rejected, want open with 2 and 1", b.State, b.Failures, b.Rejected)
	}
	post(t, c, shop.url+"/basket", url.Values{"id": {"mug-blue"}, "quantity": {"1"}}, 200)
	post(t, c, shop.url+"/checkout", url.Values{"name": {"Ada"}, "email": {"ada@example.org"}}, 200,
		"<h1>Order placed</h1>", `id="order-status" data-testid="order-status">Order placed, we will charge you later<`)

	start(t, "payments", "--listen", strings.TrimPrefix(payments.url, "http://"))
	eventually(t, "an order is paid again", func() bool { return place(t, c, shop.url, "e").Paid })
	if b := breakerOf(t, c, shop.url, "payments"); b.State != breaker.Closed {
		t.Errorf("got %v after a paid order, want closed", b.State)
	}
	if b := breakerOf(t, c, shop.url, "catalog"); b.Failures != 0 || len(b.Transitions) != 0 {
		t.Errorf("the catalog's breaker was drawn in: %+v", b)
	}
}

func TestAnOpenBreakerSparesPayments(t *testing.T) {
	t.Parallel()
	payments := newTap(t)
	payments.silent.Store(true)
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--payments", payments.url,
		"--failures", "3", "--open-for", "500ms", "--call-timeout", "50ms")
	c := visitor(t)
	begin := time.Now()
	for i := range 3 {
		place(t, c, shop.url, fmt.Sprint(i))
	}
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("three calls that time out took %v, want 50ms each", took)
	}
	begin = time.Now()
	for i := range 20 {
		place(t, c, shop.url, fmt.Sprint(i))
	}
	if took := time.Since(begin); took > 400*time.Millisecond {
		t.Errorf("20 calls of an open breaker took %v, want no wait for payments", took)
	}
	if n := payments.connections.Load(); n != 3 {
		t.Errorf("payments saw %d connections, want 3: one for each call until the breaker opened", n)
	}
	payments.silent.Store(false)
	eventually(t, "an order is paid", func() bool { return place(t, c, shop.url, "z").Paid })
	if n := payments.connections.Load(); n != 4 {
		t.Errorf("payments saw %d connections, want 4: the probe was the only one after that", n)
	}
	var path []string
	for _, tr := range breakerOf(t, c, shop.url, "payments").Transitions {
		path = append(path, tr.To.String())
	}
	if got := strings.Join(path, " "); got != "open half-open closed" {
		t.Errorf("transitions: got %q, want open, half-open, closed", got)
	}
}

func TestWithoutABreakerEveryCallReachesPayments(t *testing.T) {
	t.Parallel()
	payments := newTap(t)
	payments.silent.Store(true)
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--payments", payments.url,
		"--breaker", "off", "--failures", "2", "--call-timeout", "30ms")
	c := visitor(t)
	begin := time.Now()
	for i := range 8 {
		if place(t, c, shop.url, fmt.Sprint(i)).Paid {
			t.Fatal("payments are silent, and the order is paid")
		}
	}
	if took := time.Since(begin); took < 8*30*time.Millisecond {
		t.Errorf("8 calls took %v, want each to wait for its 30ms", took)
	}
	if n := payments.connections.Load(); n != 8 {
		t.Errorf("payments saw %d connections, want 8", n)
	}
	get(t, c, shop.url+"/breakers", 200, "[]")
	payments.silent.Store(false)
	for range 2 {
		if !place(t, c, shop.url, "z").Paid {
			t.Error("payments are back, and the order is not paid")
		}
	}
	if n := payments.connections.Load(); n != 10 {
		t.Errorf("payments saw %d connections of 10 calls, want one for each", n)
	}
}

// The kernel drops the SYNs to a listener whose queue is full, as a firewall does. A
// call that ended in that must leave nothing that goes on knocking.
func TestADialEndsWithItsCall(t *testing.T) {
	t.Parallel()
	port := fullListener(t)
	client := newPaymentsClient(fmt.Sprintf("http://127.0.0.1:%d", port), 100*time.Millisecond)
	begin := time.Now()
	if err := client.Charge(t.Context(), charge{"a", 1}); err == nil || time.Since(begin) < 100*time.Millisecond {
		t.Fatalf("got %v after %v, want a timeout after 100ms", err, time.Since(begin))
	}
	eventually(t, "no dial goes on", func() bool { return dials(t, port) == 0 })

	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = newPaymentsClient(fmt.Sprintf("http://127.0.0.1:%d", port), time.Hour).Charge(ctx, charge{"b", 1})
	}()
	eventually(t, "a dial goes on", func() bool { return dials(t, port) == 1 })
	cancel()
	<-gone
	eventually(t, "no dial goes on", func() bool { return dials(t, port) == 0 })
}

// fullListener returns the port of a listener that takes no more connections.
func fullListener(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	for range 10 {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 100*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the listener takes ever more connections")
	return 0
}

// dials counts the sockets of this machine that are in SYN_SENT to a port of 127.0.0.1.
func dials(t *testing.T, port int) (n int) {
	t.Helper()
	table, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	to := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32([]byte{127, 0, 0, 1}), port)
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 3 && f[2] == to && f[3] == "02" {
			n++
		}
	}
	return n
}
