package nfqueue_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/isolate"
)

// The tests run as an ordinary user's would: the binary starts itself again in a
// user and a network namespace of its own, so that no rule can reach the host.
var (
	inside = flag.Bool("nfqueue.inside", false, "the test binary is in its own namespaces")
	owner  = flag.Bool("nfqueue.owner", false, "be the owner of a queue that delays, until killed")
	flood  = flag.String("nfqueue.flood", "", "send datagrams to this address, until killed")
)

func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case *owner:
		os.Exit(beOwner()) //nolint:forbidigo // the whole program of a child
	case *flood != "":
		os.Exit(beFlood(*flood)) //nolint:forbidigo // as above
	case *inside:
		if err := isolate.LoopbackUp(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // as above
		}
		goleak.VerifyTestMain(m)
	default:
		os.Exit(enter()) //nolint:forbidigo // as above
	}
}

// enter runs this binary in new namespaces, as root of those and nothing outside.
func enter() int {
	c := exec.Command("/proc/self/exe", append([]string{"-nfqueue.inside"}, os.Args[1:]...)...) //nolint:forbidigo // the same arguments again
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	dir, err := os.MkdirTemp("", "nfqueue")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	c.Env = append(os.Environ(), "XTABLES_LOCKFILE="+dir+"/lock") // the host's belongs to the host's root
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err = c.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintf(os.Stderr, "no user and network namespace here (sysctl user.max_user_namespaces=10000): %v\n", err)
		if ci() {
			return 1
		}
	}
	return 0
}

// ci is the house's word for: nothing may be skipped.
func ci() bool {
	return os.Getenv("CI") == "true" //nolint:forbidigo // tests alone ask
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// eventually waits until ok.
func eventually(tb testing.TB, within time.Duration, what string, ok func() bool) {
	tb.Helper()
	start := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Since(start) > within {
			tb.Fatalf("after %v: not %s", within, what)
		}
		<-tick.C
	}
}
