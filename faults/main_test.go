package faults_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/isolate"
)

// The tests run as an ordinary user's would: the binary starts itself again in a
// user and a network namespace of its own, so that no rule can reach the host.
var (
	inside = flag.Bool("faults.inside", false, "the test binary is in its own namespaces")
	owner  = flag.String("faults.owner", "", "be the owner of an armed fault: a JSON ownerOrder")
)

func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case *owner != "":
		os.Exit(beOwner(*owner)) //nolint:forbidigo // the whole program of a child
	case *inside:
		if err := isolate.LoopbackUp(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // as above
		}
		_ = flag.Set("test.parallel", "16") // they wait more than they work
		goleak.VerifyTestMain(m)
	default:
		os.Exit(enter()) //nolint:forbidigo // as above
	}
}

// enter runs this binary in new namespaces, as root of those and nothing outside.
func enter() int {
	c := exec.Command("/proc/self/exe", append([]string{"-faults.inside"}, os.Args[1:]...)...) //nolint:forbidigo // the same arguments again
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	c.Env = append(os.Environ(), "XTABLES_LOCKFILE="+dir+"/lock") // the host's belongs to the host's root
	users := 1
	if os.Getuid() == 0 {
		users = 1 << 16 // root may map others too, for tests that are nobody
	}
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: users}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: users}},
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

type ownerOrder struct {
	Kind, Settings string
	Options        faults.Options
	Suffix         string
	Heal           bool // it heals soon after it armed
}

// beOwner installs and arms a fault, says so, and lives on until it is told otherwise.
func beOwner(order string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := func() error {
		var o ownerOrder
		if err := json.Unmarshal([]byte(order), &o); err != nil {
			return err
		}
		f, err := faults.Kinds().BuildText(o.Kind, o.Settings)
		if err != nil {
			return err
		}
		in, err := (&faults.Injector{Suffix: o.Suffix}).Install(ctx, f, o.Options)
		if err != nil {
			return err
		}
		if err := in.Arm(ctx); err != nil {
			return err
		}
		fmt.Println("armed")
		if o.Heal {
			wait := time.NewTimer(600 * time.Millisecond)
			<-wait.C
			fmt.Println("healing")
		} else {
			<-ctx.Done()
		}
		if err := in.Close(ctx); err != nil {
			return err
		}
		e, err := in.Evidence(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(e)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// eventually waits until ok, and returns how long that took.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Since(start) > within {
			t.Fatalf("after %v: not %s", within, what)
		}
		<-tick.C
	}
	return time.Since(start)
}

func p50(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// runSum is how a chain's name tells its run.
func runSum(run string) string {
	sum := sha256.Sum256([]byte(run))
	return hex.EncodeToString(sum[:4])
}
