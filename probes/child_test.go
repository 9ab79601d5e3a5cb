//go:build linux

package probes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// Some troubles are those of a whole process: they are tried in a child of the test's
// own, which prints the result as JSON.
var (
	trouble = flag.String("probes.trouble", "", "be a child with this trouble, and run the check that is the one argument")
	etc     = flag.String("probes.etc", "", "a directory with the child's resolv.conf and hosts")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *trouble == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := child(*trouble, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // the whole program of a child
	}
}

// lookInTrouble runs the check of text in a child that has the trouble, in namespaces
// of its own if it needs them.
func lookInTrouble(t *testing.T, trouble, text string) results.Result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"resolv.conf": "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n",
		"hosts":       "127.0.0.2 two.test\n127.0.0.1 two.test\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), "/proc/self/exe", "-probes.trouble", trouble, "-probes.etc", dir, text)
	c.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else each child waits a second
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if trouble != "files" {
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	if err := c.Start(); err != nil {
		proof.Lacks(t, fmt.Sprintf("no namespaces of its own here (sysctl user.max_user_namespaces=10000): %v", err))
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("child: %v\n%s", err, &stderr)
	}
	var res results.Result
	if err := json.Unmarshal(stdout.Bytes(), &res); err != nil {
		t.Fatalf("child: %v: %s", err, &stdout)
	}
	return res
}

// child gets into trouble, runs the check and prints its result.
func child(trouble, text string) error {
	c, err := build(text)
	if err != nil {
		return err
	}
	r := run.New("child", nowhere{}, nil, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timeout := patience
	switch trouble {
	case "silent":
		timeout = 400 * time.Millisecond
	case "stopped":
		defer time.AfterFunc(400*time.Millisecond, cancel).Stop()
	}
	if err := r.Add(run.Entry{Name: "c", Timeout: timeout, Check: c}); err != nil {
		return err
	}
	if trouble == "files" {
		err = useUpFiles()
	} else {
		err = network(trouble)
	}
	if err != nil {
		return err
	}
	res, err := r.Run(ctx, r.Now("c", ""))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// useUpFiles leaves the process no file descriptor.
func useUpFiles() error {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the runtime's own descriptors come with the first
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		return err
	}
	for {
		switch _, err := syscall.Dup(1); {
		case errors.Is(err, syscall.EMFILE):
			return nil
		case err != nil:
			return err
		}
	}
}

// network gives the child's own network namespace a resolver, or none.
func network(trouble string) error {
	if trouble == "offline" {
		return nil // not even loopback is up
	}
	if err := isolate.LoopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, name := range []string{"resolv.conf", "hosts"} {
		if err := unix.Mount(filepath.Join(*etc, name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", name, err)
		}
	}
	switch trouble {
	case "noresolver":
		return nil
	case "twoaddresses":
		l, err := net.Listen("tcp", "127.0.0.1:8080")
		if err != nil {
			return err
		}
		go func() { _ = http.Serve(l, http.HandlerFunc(mugs)) }()
		return nil
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	go answer(pc, map[string]byte{"nxdomain": 3, "servfail": 2}[trouble])
	return nil
}

// answer gives every question the response code; with code 0 it stays silent.
func answer(pc net.PacketConn, code byte) {
	for b := make([]byte, 1500); ; {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return
		}
		if code != 0 && n > 12 {
			b[2], b[3] = b[2]|0x80, 0x80|code // it is a response, and recursion is available
			_, _ = pc.WriteTo(b[:n], from)
		}
	}
}

// What is wrong on our side is unknown, what is wrong on theirs critical, whichever
// probe meets it.
func TestTroubles(t *testing.T) {
	t.Parallel()
	up := listen(t, hold)
	for _, c := range []struct {
		trouble, host string
		status        results.Status
		cause         results.Cause
		says, step    string
	}{
		{"files", up, results.Unknown, results.CauseResources, "too many open files", "connect"},
		{"offline", "192.0.2.1:80", results.Unknown, results.CauseNetwork, "network is unreachable", "connect"},
		{"nxdomain", "name.invalid:80", results.Critical, results.CauseNXDomain, "no such host", "resolve"},
		{"servfail", "name.invalid:80", results.Unknown, results.CauseResolver, "server misbehaving", "resolve"},
		{"silent", "name.invalid:80", results.Unknown, results.CauseResolver, "name.invalid", "resolve"},
		{"stopped", "name.invalid:80", results.Unknown, results.CauseStopped, "stopped before it ended", "resolve"},
		{"noresolver", "name.invalid:80", results.Unknown, results.CauseResolver, "connection refused", "resolve"},
		{"offline", "name.invalid:80", results.Unknown, results.CauseResolver, "name.invalid", "resolve"},
	} {
		for _, text := range []string{"http: {url: 'http://HOST/'}", "tcp: {address: 'HOST'}", "tls: {address: 'HOST'}"} {
			kind, _, _ := strings.Cut(text, ":")
			t.Run(c.trouble+"/"+c.host[:4]+"/"+kind, func(t *testing.T) {
				t.Parallel()
				res := lookInTrouble(t, c.trouble, strings.ReplaceAll(text, "HOST", c.host))
				wants(t, res, c.status, c.cause, c.says, c.step+":"+string(c.cause))
			})
		}
	}
}

// An address of a name may be dead: connecting is then still one phase, and it is well.
func TestTwoAddresses(t *testing.T) {
	t.Parallel()
	res := lookInTrouble(t, "twoaddresses", "http: {url: 'http://two.test:8080/', expect: {body: Mugs}}")
	wants(t, res, results.OK, "", "", "resolve connect processing transfer")
	res = lookInTrouble(t, "twoaddresses", "tcp: {address: 'two.test:8080'}")
	wants(t, res, results.OK, "", "", "resolve connect")
	res = lookInTrouble(t, "twoaddresses", "tcp: {address: 'two.test:8081'}")
	wants(t, res, results.Critical, results.CauseRefused, "connection refused", "resolve connect:refused")
}
