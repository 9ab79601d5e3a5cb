package faults_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/proof"
)

func portOf(to string) string {
	_, port, _ := net.SplitHostPort(to)
	return port
}

// Each selector meets what it names and leaves alone what it does not.
func TestSelectors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string // PORT and NEXT stand for two servers' ports
		met      string // dialled as this address; "" means 127.0.0.1
		missed   string // the same of what must be left alone
	}{
		"cidr":             {"to: 127.0.0.0/25:PORT", "127.0.0.1", "127.0.0.200"},
		"port range":       {"to: 127.0.0.1:PORT-PORT", "", "127.0.0.2"},
		"ports apart":      {"{to: 127.0.0.1, ports: [PORT, 1-3]}", "", "127.0.0.2"},
		"many ports":       {"{to: 127.0.0.1, ports: [1, 3, 5, 7-9, 11, 13, 15, 17, 19, PORT]}", "", "127.0.0.2"},
		"ports alone":      {"ports: PORT", "", ""},
		"list":             {"to: [\"127.0.0.3:PORT\", \"127.0.0.4:PORT\"]", "127.0.0.4", "127.0.0.1"},
		"overlapping list": {"to: [\"127.0.0.1:PORT\", \"127.0.0.0/24:PORT\", \"localhost:PORT\"]", "", "127.0.1.1"},
		"from":             {"{to: 127.0.0.1:PORT, from: 127.0.0.0/8}", "", "127.0.0.2"},
		"from elsewhere":   {"{to: 127.0.0.0/8:PORT, from: [127.0.0.9, 10.0.0.0/8]}", "127.0.0.9", "127.0.0.1"}, // from 127.0.0.9 to itself
		"all protocols":    {"{to: 127.0.0.1:PORT, protocol: all}", "", "127.0.0.2"},
		"direction in":     {"{to: 127.0.0.1:PORT, direction: in}", "", "127.0.0.2"},
		"direction both":   {"{to: 127.0.0.1:PORT, direction: both}", "", "127.0.0.2"},
		"user":             {"{to: 127.0.0.1:PORT, user: root}", "", "127.0.0.2"},
		"user alone":       {"{ports: PORT, user: 0}", "", ""},
		"every connection": {"{to: 127.0.0.1:PORT, percent: 100}", "", "127.0.0.2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := faulttest.Serve(t, "0.0.0.0")
			other := faulttest.Serve(t, "127.0.0.1")
			in := install(t, "drop", strings.ReplaceAll(c.settings, "PORT", portOf(to)), minute("selectors"))
			must(t, in.Arm(t.Context()))
			met := "127.0.0.1"
			if c.met != "" {
				met = c.met
			}
			if err := dialFrom(met, net.JoinHostPort(met, portOf(to))); !timedOut(err) {
				t.Errorf("dial of a target: got %v, want a timeout", err)
			}
			must(t, faulttest.Dial(other))
			if c.missed != "" {
				must(t, faulttest.Dial(net.JoinHostPort(c.missed, portOf(to))))
			}
			e, err := in.Evidence(t.Context())
			must(t, err)
			if e.Packets == 0 || e.Attempts != 1 || e.Tampered != "" || e.FirstHit.IsZero() {
				t.Errorf("evidence: got %+v, want packets and one attempt", e)
			}
		})
	}
}

func dialFrom(source, to string) error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: 300 * time.Millisecond}
	conn, err := d.Dial("tcp", to)
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestSelectorsOverIPv6(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "::1")
	for _, settings := range []string{
		`to: "[::/64]:PORT"`,
		`{to: "::1", ports: PORT, from: "::1", protocol: all, direction: both}`,
	} {
		in := install(t, "drop", strings.ReplaceAll(settings, "PORT", portOf(to)), minute("six"))
		must(t, in.Arm(t.Context()))
		if err := faulttest.DialFor(to, 200*time.Millisecond); !timedOut(err) {
			t.Errorf("%s: got %v, want a timeout", settings, err)
		}
		must(t, in.Close(t.Context()))
	}
}

// An echo request has no port; the kernel answers those of a host without a process.
func TestICMP(t *testing.T) {
	t.Parallel()
	ping := func(to string) error {
		conn, err := net.Dial("ip4:icmp", to)
		must(t, err)
		defer conn.Close()
		must(t, conn.SetDeadline(time.Now().Add(200*time.Millisecond)))
		_, err = conn.Write([]byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0})
		must(t, err)
		_, err = conn.Read(make([]byte, 64)) // on loopback one hears the request itself
		return err
	}
	in := install(t, "drop", "{to: 127.0.7.7, protocol: icmp}", minute("icmp"))
	must(t, in.Arm(t.Context()))
	if err := ping("127.0.7.7"); !timedOut(err) {
		t.Errorf("ping: got %v, want silence", err)
	}
	must(t, ping("127.0.7.8"))
	must(t, faulttest.Dial(net.JoinHostPort("127.0.7.7", portOf(faulttest.Serve(t, "0.0.0.0")))))
}

// A virtual address is gone from the packet when it meets the rules; conntrack knows it.
func TestOriginalDestination(t *testing.T) {
	const virtual = "127.0.9.9"
	to := faulttest.Serve(t, "127.0.0.1")
	rule := []string{"OUTPUT", "-d", virtual, "-p", "tcp", "--dport", "8080", "-j", "DNAT", "--to-destination", to}
	iptables(t, append([]string{"-t", "nat", "-A"}, rule...)...)
	t.Cleanup(func() { iptables(t, append([]string{"-t", "nat", "-D"}, rule...)...) })
	must(t, faulttest.Dial(virtual+":8080"))
	for _, direction := range []string{"out", "in", "both"} {
		in := install(t, "drop", "{to: "+virtual+":8080, original_destination: true, direction: "+direction+"}", minute("virtual"))
		must(t, in.Arm(t.Context()))
		if err := faulttest.DialFor(virtual+":8080", 300*time.Millisecond); !timedOut(err) {
			t.Errorf("%s: dial of the virtual address: got %v, want a timeout", direction, err)
		}
		must(t, faulttest.Dial(to)) // the same server by its own address
		if e, err := in.Evidence(t.Context()); err != nil || e.Attempts != 1 || e.Packets == 0 {
			t.Errorf("%s: got %+v, %v", direction, e, err)
		}
		must(t, in.Close(t.Context()))
	}
}

func TestCgroup(t *testing.T) {
	t.Parallel()
	mounts, err := os.ReadFile("/proc/self/mounts")
	must(t, err)
	if !strings.Contains(string(mounts), " cgroup2 ") {
		proof.Lacks(t, "no cgroup v2 is mounted (mount -t cgroup2 none /sys/fs/cgroup/unified)")
	}
	to := faulttest.Serve(t, "127.0.0.1")
	in := install(t, "reject", "{to: "+to+", cgroup: /}", minute("cgroup"))
	must(t, in.Arm(t.Context()))
	if err := faulttest.Dial(to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: got %v", err)
	}
	_, err = (&faults.Injector{}).Install(t.Context(), build(t, "reject", "{to: "+to+", cgroup: no/such}"), minute("cgroup"))
	if err == nil || !strings.Contains(err.Error(), `cgroup: got "no/such", want a cgroup below `) {
		t.Errorf("got %v", err)
	}
}

// A tenth more or less of what was asked for, and a connection is met always or never.
func TestPercentOfConnections(t *testing.T) {
	t.Parallel()
	const connections, percent = 2000, 30
	for _, c := range []struct{ host, direction string }{{"127.0.0.1", "out"}, {"127.0.0.1", "in"}, {"::1", "out"}, {"::1", "both"}} {
		t.Run(c.host+" "+c.direction, func(t *testing.T) {
			t.Parallel()
			to := faulttest.Serve(t, c.host)
			open := make([]net.Conn, connections)
			for n := range open {
				conn, err := net.Dial("tcp", to)
				must(t, err)
				defer conn.Close()
				open[n] = conn
			}
			in := install(t, "drop", `{to: "`+to+`", percent: `+strconv.Itoa(percent)+`, direction: `+c.direction+`}`, minute("percent"))
			must(t, in.Arm(t.Context()))
			alive := func() (n int, which []bool) { // one round: all are written to, then all are read
				for _, conn := range open {
					_, err := conn.Write([]byte{'x'})
					must(t, err)
				}
				which = make([]bool, len(open))
				tick := time.NewTicker(50 * time.Millisecond)
				defer tick.Stop()
				for quiet := 0; quiet < 10; quiet++ { // half a second without an answer
					for at, conn := range open {
						if !which[at] && answered(conn) {
							which[at], quiet = true, 0
							n++
						}
					}
					<-tick.C
				}
				return n, which
			}
			n, first := alive()
			met := 100 * float64(connections-n) / connections
			t.Logf("%.1f %% of %d connections met", met, connections)
			if met < percent-4 || met > percent+4 { // four standard deviations
				t.Errorf("met %.1f %%, want %d", met, percent)
			}
			if _, again := alive(); !slices.Equal(again, first) {
				t.Error("a connection was met at one time and not at another")
			}
		})
	}
}

// answered takes a byte if there is one.
func answered(conn net.Conn) bool {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	_ = raw.Read(func(fd uintptr) bool {
		n, _ = unix.Read(int(fd), make([]byte, 1))
		return true
	})
	return n == 1
}

// The namespace of a process is held though the process ends.
func TestNamespaceOfAProcess(t *testing.T) {
	t.Parallel()
	c := exec.Command("sleep", "60")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	word := "pid:" + strconv.Itoa(c.Process.Pid)
	there := &faults.Injector{Netns: word}
	out, err := exec.Command("nsenter", "-t", strconv.Itoa(c.Process.Pid), "-n", "ip", "link", "set", "lo", "up").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	in := install(t, "drop", "{to: 127.0.0.1:9, netns: \""+word+"\"}", minute("pid"))
	must(t, in.Arm(t.Context()))
	if list, err := there.List(t.Context()); err != nil || len(list) != 1 || !list[0].Armed {
		t.Errorf("there: got %+v, %v", list, err)
	}
	if _, here := find(t, "pid"); here {
		t.Error("the fault is in our namespace too")
	}
	must(t, c.Process.Kill())
	_ = c.Wait()
	if e, err := in.Evidence(t.Context()); err != nil || e.Tampered != "" {
		t.Errorf("after its process ended: got %+v, %v", e, err)
	}
	must(t, in.Close(t.Context()))
	_, err = there.List(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Errorf("a process that is gone: got %v", err)
	}
}

func TestBadNamespaces(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"nowhere-to-be-found":    `netns: got "nowhere-to-be-found", which is gone or never was; there are`,
		"pid:x":                  `netns: got "pid:x", want pid:N`,
		"a/b":                    `netns: got "a/b", want NAME (under /run/netns), pid:N, container:ID or an absolute path`,
		"container:zz":           `netns: got container id "zz", want at least 12 of its hexadecimal digits`,
		"container:0123456789ab": "netns: no process of a container 0123456789ab runs here",
		"/etc/hosts":             `netns: got "/etc/hosts", and /etc/hosts is no network namespace`,
	} {
		_, err := (&faults.Injector{}).Install(t.Context(), build(t, "drop", "{to: 127.0.0.1:9, netns: \""+word+"\"}"), minute("bad"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", word, err, want)
		}
	}
}

func TestTargetsThatCannotBePinned(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"to: no-such-host.invalid:80":               "fault target no-such-host.invalid:80: to: lookup no-such-host.invalid",
		"{to: 127.0.0.1:80, user: nobody-at-all}":   `user: got "nobody-at-all", want a user of this host, by name or number`,
		"{to: 127.0.0.1:80, from: \"::1\"}":         "from: no address of it has the IP version of an address of the target",
		"{to: 127.0.0.1:80, from: nowhere.invalid}": "from: lookup nowhere.invalid",
	} {
		_, err := (&faults.Injector{}).Install(t.Context(), build(t, "drop", settings), minute("unpinned"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", settings, err, want)
		}
	}
}
