package nfqueue_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/nfqueue"
	"github.com/foreshock/foreshock/internal/proof"
)

// chains numbers the tests' chains, for they share the tables.
var chains atomic.Int32

func open(tb testing.TB, stages ...nfqueue.Stage) *nfqueue.Queue {
	tb.Helper()
	q, err := nfqueue.Open(nfqueue.Options{Stages: stages})
	must(tb, err)
	tb.Cleanup(func() { must(tb, q.Close()) })
	return q
}

// lead sends packets to the address to the queue, as package faults will: by a chain
// of its own, whose first rule leaves out what the queue is done with.
func lead(tb testing.TB, q *nfqueue.Queue, protocol string, to netip.AddrPort) (remove func()) {
	tb.Helper()
	remove = leadTo(tb, q.Action(), protocol, to, "-d", "--dport")
	tb.Cleanup(remove)
	return remove
}

// leadBack leads what comes back from the address.
func leadBack(tb testing.TB, q *nfqueue.Queue, protocol string, from netip.AddrPort) {
	tb.Helper()
	tb.Cleanup(leadTo(tb, q.Action(), protocol, from, "-s", "--sport"))
}

// leadTo is lead to a queue of another process or namespace, with the default mark.
func leadTo(tb testing.TB, action []string, protocol string, to netip.AddrPort, host, port string) (remove func()) {
	tb.Helper()
	chain := fmt.Sprintf("T%d", chains.Add(1))
	run := func(args ...string) { iptables(tb, to.Addr(), args...) }
	run("-N", chain)
	run(append(append([]string{"-A", chain}, nfqueue.Skip(nfqueue.DefaultMark)...), "-j", "RETURN")...)
	run(slices.Concat([]string{"-A", chain, "-p", protocol, host, to.Addr().String(), port, strconv.Itoa(int(to.Port()))}, nfqueue.Match(), action)...)
	for _, base := range []string{"INPUT", "FORWARD", "OUTPUT"} {
		run("-I", base, "1", "-j", chain)
	}
	return sync.OnceFunc(func() {
		for _, base := range []string{"INPUT", "FORWARD", "OUTPUT"} {
			run("-D", base, "-j", chain)
		}
		run("-F", chain)
		run("-X", chain)
	})
}

// one at a time: the tables' lock is not for the patient.
var tables sync.Mutex

func iptables(tb testing.TB, family netip.Addr, args ...string) {
	tb.Helper()
	tables.Lock()
	defer tables.Unlock()
	command := "iptables"
	if family.Is6() {
		command = "ip6tables"
	}
	if _, err := exec.LookPath(command); err != nil {
		proof.Lacks(tb, command+" is not installed (apt-get install iptables)")
	}
	out, err := exec.Command(command, append([]string{"-w", "10"}, args...)...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
}

// each runs a test over IPv4 and IPv6.
func each(t *testing.T, test func(t *testing.T, host netip.Addr)) {
	t.Helper()
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			test(t, netip.MustParseAddr(host))
		})
	}
}

// echoUDP answers each datagram with itself.
func echoUDP(tb testing.TB, host netip.Addr) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	must(tb, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from)
		}
	})
	tb.Cleanup(func() { conn.Close(); wg.Wait() })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// echoTCP answers each byte with itself.
func echoTCP(tb testing.TB, host netip.Addr) netip.AddrPort {
	tb.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(host, 0).String())
	must(tb, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	tb.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func dial(tb testing.TB, network string, to netip.AddrPort) net.Conn {
	tb.Helper()
	conn, err := net.DialTimeout(network, to.String(), 10*time.Second)
	must(tb, err)
	tb.Cleanup(func() { conn.Close() })
	must(tb, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

// ping sends a byte and waits for it.
func ping(tb testing.TB, conn net.Conn) time.Duration {
	tb.Helper()
	start := time.Now()
	_, err := conn.Write([]byte{1})
	must(tb, err)
	_, err = conn.Read(make([]byte, 1))
	must(tb, err)
	return time.Since(start)
}

// patience is for what must come; a busy machine may take its time.
const patience = 10 * time.Second

// quickest is the best of some rounds, until one is quick enough: what else the machine
// does makes none quicker.
func quickest(enough time.Duration, round func() time.Duration) time.Duration {
	start, best := time.Now(), round()
	for best > enough && time.Since(start) < 2*patience {
		best = min(best, round())
	}
	return best
}

func quantile(all []time.Duration, q float64) time.Duration {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// child starts this binary again, beside us in the same namespaces.
func child(tb testing.TB, args ...string) (*exec.Cmd, *bufio.Scanner) {
	tb.Helper()
	c := exec.CommandContext(context.WithoutCancel(tb.Context()), "/proc/self/exe", args...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	must(tb, err)
	must(tb, c.Start())
	tb.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c, bufio.NewScanner(out)
}

const ownerLatency = 50 * time.Millisecond

func beOwner() int {
	q, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Delay{Latency: ownerLatency}}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(strings.Join(q.Action(), " "))
	<-q.Done()
	return 0
}

func beFlood(to string) int {
	conn, err := net.Dial("udp", to)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	pin(1)
	raw, _ := conn.(*net.UDPConn).SyscallConn()
	payload := make([]byte, 64)
	_ = raw.Control(func(fd uintptr) {
		for {
			_ = unix.Send(int(fd), payload, 0)
		}
	})
	return 0
}

// pin moves all threads of the process to one processor.
func pin(cpu int) {
	var set unix.CPUSet
	set.Set(cpu)
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		if tid, err := strconv.Atoi(task.Name()); err == nil {
			_ = unix.SchedSetaffinity(tid, &set)
		}
	}
}
