package lab

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
)

// A right library that is made anew for each call, that each worker has its own of, or
// that is told to count too little, does not open where it should.
func TestBorrowedWrongly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		language string
		Service
		failed int // of 25 calls
	}{
		"anew for each call": {python, Service{Breaker: "circuitbreaker", Flaw: "each-call"}, 25},
		"deaf, in Python":    {python, Service{Breaker: "circuitbreaker", Flaw: "deaf-to-timeouts"}, 25},
		"deaf, in Node":      {node, Service{Breaker: "cockatiel", Flaw: "deaf-to-timeouts"}, 25},
		"one for each of 4":  {node, Service{Breaker: "cockatiel", Flaw: "each-worker"}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.OpenMS, c.CallTimeoutMS = 5000, 5000
			if n := newTown(t, c.language, c.Service).trip(25); n != c.failed {
				t.Errorf("got %d of 25 calls that failed, want %d", n, c.failed)
			}
		})
	}
}

// A proxy reads the file that the lab writes for it, whatever version is there.
func TestProxiesReadTheirFiles(t *testing.T) {
	t.Parallel()
	tools, err := filepath.Abs("../../.tools/lab")
	if err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]string{nginx: "-t", haproxy: "-c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := (&Bench{Tools: tools, Dir: t.TempDir()}).findPassive(name, Service{Breaker: "passive", Dependencies: []string{"127.0.0.1:9"}}.complete())
			if err != nil {
				proof.Lacks(t, err.Error())
			}
			cmd, err := p.command(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cmd.Args = append(cmd.Args, check)
			cmd.Stderr = nil
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			if _, err := os.Stat(filepath.Join(p.Dir, name+".conf")); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is missing is told with what gets it.
func TestMissingProxy(t *testing.T) {
	t.Parallel()
	_, err := (&Bench{Tools: t.TempDir()}).passive("no-such-proxy", Service{})
	if !errors.Is(err, exec.ErrNotFound) && (err == nil || !strings.Contains(err.Error(), "no-such-proxy is missing; scripts/setup-lab.sh")) {
		t.Errorf("got %v, want what is missing and what gets it", err)
	}
}
