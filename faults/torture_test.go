package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/isolate"
)

// A host is a network namespace of a test's own, and a thread in it.
type host struct {
	path string
	ask  chan func()
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{ask: make(chan func())}
	ready := make(chan error)
	var wg sync.WaitGroup
	wg.Go(func() { // the thread is never unlocked: the namespace ends with it
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = isolate.LoopbackUp()
		}
		h.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		ready <- err
		for fn := range h.ask {
			fn()
		}
	})
	t.Cleanup(func() { close(h.ask); wg.Wait() })
	must(t, <-ready)
	return h
}

// do runs fn there; sockets that it makes and programs that it starts are there too.
func (h *host) do(fn func()) {
	done := make(chan struct{})
	h.ask <- func() { defer close(done); fn() }
	<-done
}

func (h *host) sh(t *testing.T, script string) {
	t.Helper()
	h.do(func() {
		if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", script, err, out)
		}
	})
}

// serve echoes on a port of every address of the host.
func (h *host) serve(t *testing.T) (port string) {
	t.Helper()
	h.do(func() { _, port, _ = net.SplitHostPort(faulttest.Serve(t, "::")) })
	return port
}

func (h *host) dial(to string) (err error) {
	h.do(func() { err = faulttest.DialFor(to, 300*time.Millisecond) })
	return err
}

func (h *host) install(t *testing.T, kind, settings, run string) faults.Injection {
	t.Helper()
	in, err := (&faults.Injector{Netns: h.path}).Install(t.Context(), build(t, kind, settings), minute(run))
	must(t, err)
	t.Cleanup(func() { must(t, in.Close(context.Background())) })
	return in
}

// Somebody flushes the tables, or all and removes the chains, while a fault acts: it is
// over, the evidence says so, and nothing is left.
func TestForeignFlush(t *testing.T) {
	t.Parallel()
	for _, flush := range []string{"iptables -F", "iptables -F; iptables -X", "iptables -F INPUT; iptables -F OUTPUT"} {
		h := newHost(t)
		to := "127.0.0.1:" + h.serve(t)
		in := h.install(t, "reject", "to: "+to, "flush")
		must(t, in.Arm(t.Context()))
		if err := h.dial(to); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("the fault does not bite: %v", err)
		}
		_, err := in.Evidence(t.Context()) // a look before: a flush takes the counters along
		must(t, err)
		h.sh(t, flush)
		must(t, h.dial(to))
		e, err := in.Evidence(t.Context())
		if err != nil || e.Tampered == "" || e.Packets == 0 {
			t.Errorf("%s: got %+v, %v, want to hear of it", flush, e, err)
		}
		eventually(t, patience, "given up", func() bool {
			e, err = in.Evidence(t.Context())
			return err != nil || e.HealedBy == faults.HealedByOther
		})
		must(t, in.Close(t.Context()))
		h.sh(t, "! iptables-save | grep FS-")
	}
}

// A client and a server on hosts of their own, with a cable in between: faults act at
// either end, in either direction, over both versions.
func TestTwoHosts(t *testing.T) {
	t.Parallel()
	client, server := newHost(t), newHost(t)
	name := "fs" + strconv.Itoa(unix.Gettid())
	var pid *exec.Cmd
	server.do(func() { // a process by which ip can name the namespace
		pid = exec.Command("sleep", "60")
		must(t, pid.Start())
	})
	defer func() { _ = pid.Process.Kill(); _ = pid.Wait() }()
	client.sh(t, fmt.Sprintf(`ip link add %s type veth peer name eth0 netns %d
ip link set %s name eth0; ip link set eth0 up
ip addr add 10.77.0.1/24 dev eth0; ip addr add fd77::1/64 dev eth0 nodad`, name, pid.Process.Pid, name))
	server.sh(t, `ip link set eth0 up; ip addr add 10.77.0.2/24 dev eth0; ip addr add fd77::2/64 dev eth0 nodad`)
	port := server.serve(t)
	for _, at := range []struct {
		name string
		host *host
	}{{"client", client}, {"server", server}} {
		for _, to := range []string{"10.77.0.2:" + port, "[fd77::2]:" + port} {
			host, _, _ := net.SplitHostPort(to)
			for _, c := range []struct {
				kind, settings string
				fails          func(error) bool
			}{
				{"drop", "to: TO", timedOut},
				{"drop", "{to: TO, direction: in}", timedOut},
				{"reject", "to: TO", is(syscall.ECONNREFUSED)},
				{"blackhole", "{to: TO, direction: both}", timedOut},
				{"partition", "{between: FROM, and: HOST}", timedOut},
			} {
				from := map[bool]string{true: "10.77.0.1", false: "fd77::1"}[strings.HasPrefix(to, "10.")]
				settings := strings.NewReplacer("TO", strconv.Quote(to), "FROM", strconv.Quote(from), "HOST", strconv.Quote(host)).Replace(c.settings)
				in := at.host.install(t, c.kind, settings, "two-hosts")
				must(t, client.dial(to))
				must(t, in.Arm(t.Context()))
				if err := client.dial(to); !c.fails(err) {
					t.Errorf("%s %s at the %s: got %v", c.kind, settings, at.name, err)
				}
				must(t, in.Disarm(t.Context()))
				must(t, client.dial(to))
				e, err := in.Evidence(t.Context())
				if err != nil || e.Packets == 0 || e.Attempts != 3 || e.Tampered != "" {
					t.Errorf("%s %s at the %s: got %+v, %v, want 3 attempts", c.kind, settings, at.name, e, err)
				}
				must(t, in.Close(t.Context()))
			}
		}
	}
}

// A thousand open connections (ten thousand in the soak): a fault aimed elsewhere
// harms none, and one aimed at them resets every one.
func TestManyConnectionsAtOnce(t *testing.T) {
	n := 1000
	if os.Getenv("FORESHOCK_SOAK") != "" { //nolint:forbidigo // tests alone ask
		n = 10000
	}
	var files unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
	if room := int(files.Cur/2) - 100; n > room { // both ends are ours
		t.Logf("%d connections: there may be %d files", room, files.Cur)
		n = room
	}
	h := newHost(t)
	to := "127.0.0.1:" + h.serve(t)
	elsewhere := h.install(t, "drop", "to: 127.0.0.1:9", "elsewhere")
	must(t, elsewhere.Arm(t.Context()))
	in := h.install(t, "drop", "{to: "+to+", established: reset}", "many")
	var conns []net.Conn
	h.do(func() {
		for range n {
			conn, err := net.Dial("tcp", to)
			if err != nil {
				t.Errorf("connection %d: %v", len(conns), err)
				return
			}
			conns = append(conns, conn)
		}
	})
	for _, conn := range conns {
		defer conn.Close()
		must(t, faulttest.Echo(conn, patience))
	}
	if e, err := elsewhere.Evidence(t.Context()); err != nil || e.Packets != 0 || e.Attempts != 0 {
		t.Errorf("the fault elsewhere: got %+v, %v", e, err)
	}
	must(t, in.Arm(t.Context()))
	for _, conn := range conns {
		if err := faulttest.Echo(conn, patience); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Fatalf("on an open connection: got %v, want a reset", err)
		}
	}
	must(t, in.Disarm(t.Context()))
	must(t, h.dial(to))
	e, err := in.Evidence(t.Context())
	if err != nil || e.Attempts != uint64(n)+1 || e.Packets < uint64(n) || e.Lost || e.Lapses != 0 {
		t.Errorf("got %+v, %v, want %d attempts and as many packets", e, err, n+1)
	}
}

// A container that starts anew is another one: the fault stays on the one that it was
// aimed at, and neither its end nor its successor confuses anybody.
func TestContainerStartsAnew(t *testing.T) {
	t.Parallel()
	start := func() *exec.Cmd {
		c := exec.Command("sh", "-c", "ip link set lo up && echo up && exec sleep 60")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWCGROUP | syscall.CLONE_NEWUTS}
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		_, err = out.Read(make([]byte, 3))
		must(t, err)
		return c
	}
	first := start()
	word := "pid:" + strconv.Itoa(first.Process.Pid)
	in, err := (&faults.Injector{}).Install(t.Context(), build(t, "drop", "{to: 127.0.0.1:9, netns: \""+word+"\"}"), minute("container"))
	must(t, err)
	must(t, in.Arm(t.Context()))
	if list, err := (&faults.Injector{Netns: word}).List(t.Context()); err != nil || len(list) != 1 || !list[0].Armed {
		t.Errorf("in the container: got %+v, %v", list, err)
	}
	must(t, first.Process.Kill())
	_ = first.Wait()
	second := start()
	if list, err := (&faults.Injector{Netns: "pid:" + strconv.Itoa(second.Process.Pid)}).List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("in its successor: got %+v, %v", list, err)
	}
	if e, err := in.Evidence(t.Context()); err != nil || e.Tampered != "" || e.HealedBy != "" {
		t.Errorf("evidence: got %+v, %v, want the fault where it was", e, err)
	}
	must(t, in.Close(t.Context()))
}
