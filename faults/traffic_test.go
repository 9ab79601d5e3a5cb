package faults_test

import (
	"errors"
	"net"
	"os"
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
	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
)

func minute(run string) faults.Options {
	return faults.Options{Run: run, Until: time.Now().Add(time.Minute)}
}

func TestRetransmissionsAreOneAttempt(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "drop", "to: "+to, minute("retransmissions"))
	must(t, in.Arm(t.Context()))
	if err := faulttest.DialFor(to, 3500*time.Millisecond); !timedOut(err) {
		t.Fatalf("dial: got %v, want a timeout", err)
	}
	e, err := in.Evidence(t.Context())
	must(t, err)
	if e.Attempts != 1 || e.Packets < 3 {
		t.Errorf("got %d attempts of %d packets, want 1 of at least 3", e.Attempts, e.Packets)
	}
}

// Our own probes of the target are no attempts of the service under test.
func TestOwnConnectionsAreNotCounted(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "reject", "to: "+to, minute("own"))
	conn, err := (&net.Dialer{Control: own.Control}).DialContext(t.Context(), "tcp", to)
	must(t, err)
	conn.Close()
	must(t, faulttest.Dial(to))
	if all, err := in.Attempts(t.Context(), 0); err != nil || len(all) != 1 {
		t.Errorf("got %d attempts, %v, want the one that is not ours", len(all), err)
	}
}

// A thousand at once: neither lost nor counted twice.
func TestManyAttempts(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "reject", "to: "+to, minute("many"))
	must(t, in.Arm(t.Context()))
	const workers, each = 10, 100
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := faulttest.Dial(to); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("dial: got %v", err)
				}
			}
		})
	}
	wg.Wait()
	all, err := in.Attempts(t.Context(), 0)
	must(t, err)
	e, err := in.Evidence(t.Context())
	must(t, err)
	if len(all) != workers*each || e.Packets != workers*each { // each was refused at its first packet
		t.Fatalf("got %d attempts and %d packets, want %d of both", len(all), e.Packets, workers*each)
	}
	if rest, err := in.Attempts(t.Context(), 990); err != nil || len(rest) != 10 || rest[0] != all[990] {
		t.Errorf("attempts from 990 on: got %d, %v", len(rest), err)
	}
}

// The usual first rule of a firewall makes an appended fault a silent no-op.
func TestAcceptOfEstablishedDoesNotHideTheFault(t *testing.T) {
	to := faulttest.Serve(t, "127.0.0.1")
	for _, chain := range []string{"INPUT", "OUTPUT"} {
		rule := []string{chain, "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT"}
		iptables(t, append([]string{"-A"}, rule...)...)
		t.Cleanup(func() { iptables(t, append([]string{"-D"}, rule...)...) })
	}
	in := install(t, "drop", "to: "+to, minute("established"))
	conn, err := net.Dial("tcp", to)
	must(t, err)
	defer conn.Close()
	must(t, faulttest.Echo(conn, 5*time.Second))
	must(t, in.Arm(t.Context()))
	if err := faulttest.Echo(conn, 300*time.Millisecond); !timedOut(err) {
		t.Errorf("echo on an established connection: got %v, want a timeout", err)
	}
	e, err := in.Evidence(t.Context())
	must(t, err)
	if len(e.Foreign) != 0 || e.Packets == 0 {
		t.Errorf("evidence: got %+v", e)
	}
}

func TestEvidenceTellsWhoTouchedTheRules(t *testing.T) {
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "reject", "to: "+to, minute("touched"))
	rule := []string{"INPUT", "-p", "icmp", "-j", "ACCEPT"}
	iptables(t, append([]string{"-I"}, rule...)...)
	e, err := in.Evidence(t.Context())
	must(t, err)
	if len(e.Foreign) != 1 || e.Foreign[0] != "INPUT -p icmp -j ACCEPT" || e.Tampered != "" {
		t.Errorf("a rule before ours: got %+v", e)
	}
	iptables(t, append([]string{"-D"}, rule...)...)
	iptables(t, "-I", e.Chain, "1", "-j", "RETURN")
	e, err = in.Evidence(t.Context())
	must(t, err)
	if !strings.Contains(e.Tampered, "changed") || len(e.Foreign) != 0 {
		t.Errorf("a rule in our chain: got %+v", e)
	}
}

func TestEvidenceTellsOfARemovedJump(t *testing.T) {
	in := install(t, "reject", "to: 127.0.0.1:9", minute("jump"))
	e, err := in.Evidence(t.Context())
	must(t, err)
	for line := range strings.Lines(iptables(t, "-S", "INPUT")) {
		if strings.Contains(line, e.Chain) {
			iptables(t, "-D", "INPUT", "-j", e.Chain)
		}
	}
	if e, err = in.Evidence(t.Context()); err != nil || e.Tampered != "the jump from INPUT was removed" {
		t.Errorf("got %q, %v", e.Tampered, err)
	}
}

// newOnly is a fault of new connections alone.
type newOnly struct{ faults.Fault }

func (newOnly) Rules(faults.Family) []faults.Rule {
	return []faults.Rule{{Match: []string{"--syn"}, Action: []string{"-j", "DROP"}}}
}

func TestFirstHitIsOfAPacketThatTheFaultMet(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	in, err := (&faults.Injector{}).Install(t.Context(), newOnly{build(t, "drop", "to: "+to)}, minute("new-only"))
	must(t, err)
	defer func() { must(t, in.Close(t.Context())) }()
	conn, err := net.Dial("tcp", to)
	must(t, err)
	defer conn.Close()
	must(t, in.Arm(t.Context()))
	must(t, faulttest.Echo(conn, 5*time.Second))
	if e, err := in.Evidence(t.Context()); err != nil || e.Packets != 0 || !e.FirstHit.IsZero() {
		t.Errorf("got %d packets, first hit %v, %v, want none", e.Packets, e.FirstHit, err)
	}
}

func TestDroppedDatagramsVanishWithoutAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		read     func(error) bool
	}{
		"drop":   {"", timedOut},
		"reject": {"with: icmp-port-unreachable", is(syscall.ECONNREFUSED)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.ListenPacket("udp", "127.0.0.1:0")
			must(t, err)
			defer ln.Close()
			conn, err := net.Dial("udp", ln.LocalAddr().String())
			must(t, err)
			defer conn.Close()
			in := install(t, name, "protocol: udp\nto: "+ln.LocalAddr().String()+"\n"+c.settings, minute("udp"))
			must(t, in.Arm(t.Context()))
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Errorf("send: got %v, want none: no network tells the sender", err)
			}
			must(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
			if _, err := conn.Read(make([]byte, 1)); !c.read(err) {
				t.Errorf("read: got %v", err)
			}
			must(t, ln.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
			if _, _, err := ln.ReadFrom(make([]byte, 1)); !timedOut(err) {
				t.Errorf("the datagram arrived: %v", err)
			}
			e, err := in.Evidence(t.Context())
			must(t, err)
			if e.Packets != 1 || e.FirstHit.IsZero() {
				t.Errorf("evidence: got %+v, want one packet", e)
			}
		})
	}
}

func TestRejectByICMPOverIPv6(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "::1")
	in := install(t, "reject", "with: icmp-admin-prohibited\nto: \""+to+"\"", minute("icmp6"))
	must(t, in.Arm(t.Context()))
	if err := faulttest.DialFor(to, 3*time.Second); !errors.Is(err, syscall.EACCES) {
		t.Errorf("dial: got %v, want %v", err, syscall.EACCES)
	}
}

// A name is pinned at installation, to both families.
func TestNameIsPinned(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	_, port, _ := net.SplitHostPort(to)
	in := install(t, "reject", "to: localhost:"+port, minute("name"))
	must(t, in.Arm(t.Context()))
	if dials(to)() {
		t.Error("the fault does not bite")
	}
	e, err := in.Evidence(t.Context())
	must(t, err)
	if !strings.Contains(strings.Join(e.Resolved, " "), "127.0.0.1") || e.To != "localhost:"+port {
		t.Errorf("got %q resolved to %v", e.To, e.Resolved)
	}
}

// Two faults on one target are apart, and neither takes the other for a stranger.
func TestTwoFaultsAtOnce(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	first := install(t, "drop", "to: "+to, minute("two"))
	second := install(t, "reject", "to: "+to, minute("two"))
	must(t, second.Arm(t.Context()))
	must(t, first.Arm(t.Context()))
	if err := faulttest.Dial(to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: got %v, want the later fault's answer", err)
	}
	must(t, second.Close(t.Context()))
	if err := faulttest.DialFor(to, 300*time.Millisecond); !timedOut(err) {
		t.Errorf("dial: got %v, want the other fault's", err)
	}
	e, err := first.Evidence(t.Context())
	must(t, err)
	if e.Tampered != "" || len(e.Foreign) != 0 || e.Attempts != 1 {
		t.Errorf("evidence of the earlier: got %+v", e)
	}
}

// The rules go where they were told, whatever thread later calls come from; here
// nothing changes.
func TestAnotherNamespace(t *testing.T) {
	before := iptables(t, "-S")
	entered, done := make(chan string), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // keeps a thread in a new namespace, which ends with it
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		if err := isolate.LoopbackUp(); err != nil {
			t.Error(err)
		}
		entered <- "/proc/" + strconv.Itoa(os.Getpid()) + "/task/" + strconv.Itoa(unix.Gettid()) + "/ns/net"
		<-done
	})
	path := <-entered
	t.Cleanup(func() { close(done); wg.Wait() })

	there := &faults.Injector{Netns: path}
	in, err := there.Install(t.Context(), build(t, "drop", "to: 127.0.0.1:9"), minute("there"))
	must(t, err)
	must(t, in.Arm(t.Context()))
	list, err := there.List(t.Context())
	must(t, err)
	if len(list) != 1 || !list[0].Armed || !list[0].Owned {
		t.Errorf("there: got %+v", list)
	}
	if here, ok := find(t, "there"); ok {
		t.Errorf("here: got %+v", here)
	}
	must(t, in.Close(t.Context()))
	if list, err = there.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("there after close: got %+v, %v", list, err)
	}
	if after := iptables(t, "-S"); after != before {
		t.Errorf("here: got\n%swant\n%s", after, before)
	}
}

func TestProbeFindsEverythingHere(t *testing.T) {
	for _, c := range (&faults.Injector{}).Probe(t.Context()) {
		t.Logf("%+v", c)
		if !c.OK && c.Needed {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	if left := iptables(t, "-S"); strings.Contains(left, "probe") {
		t.Errorf("left: %s", left)
	}
}

func TestMissingToolIsNotTheServicesFault(t *testing.T) {
	t.Parallel()
	_, err := (&faults.Injector{Suffix: "absent"}).Install(t.Context(), build(t, "drop", "to: 127.0.0.1:9"), minute("absent"))
	status, cause := results.Judge(err)
	if status != results.Unknown || cause != results.CauseTool || !strings.Contains(err.Error(), "iptables-absent is not installed") {
		t.Errorf("got %v %v: %v", status, cause, err)
	}
}

func TestUseFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "reject", "to: "+to, minute("goroutines"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				_ = in.Arm(t.Context())
				_ = faulttest.Dial(to)
				_, _ = in.Attempts(t.Context(), 0)
				_ = in.Disarm(t.Context())
				_, _ = in.Evidence(t.Context())
			}
			if err := in.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	must(t, faulttest.Dial(to))
}
