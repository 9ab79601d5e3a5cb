package faults_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/results"
)

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func build(t *testing.T, kind, settings string) faults.Fault {
	t.Helper()
	f, err := faults.Kinds().BuildText(kind, settings)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestKindsOnTheKernel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, settings string
		host           string
		fails, pooled  func(error) bool
	}{
		"drop":             {"drop", "", "127.0.0.1", timedOut, timedOut},
		"drop established": {"drop", "established: reset", "127.0.0.1", timedOut, is(syscall.ECONNRESET)},
		"drop ipv6":        {"drop", "established: reset", "::1", timedOut, is(syscall.ECONNRESET)},
		"reject":           {"reject", "", "127.0.0.1", is(syscall.ECONNREFUSED), is(syscall.ECONNRESET)},
		"reject port":      {"reject", "with: icmp-port-unreachable", "127.0.0.1", is(syscall.ECONNREFUSED), timedOut},
		"reject host":      {"reject", "with: icmp-host-unreachable", "127.0.0.1", is(syscall.EHOSTUNREACH), timedOut},
		"reject ipv6":      {"reject", "", "::1", is(syscall.ECONNREFUSED), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Run(t, faulttest.Contract{
				Injector: &faults.Injector{},
				Host:     c.host,
				Fault:    func(to string) faults.Fault { return build(t, c.kind, "to: \""+to+"\"\n"+c.settings) },
				Fails:    c.fails,
				Silent:   c.kind == "drop",
				Pooled:   c.pooled,
			})
		})
	}
}

// The older backend has tables of its own, and a kernel may lack it.
func TestLegacyBackend(t *testing.T) {
	t.Parallel()
	legacy := &faults.Injector{Suffix: "legacy"}
	for _, c := range legacy.Probe(t.Context()) {
		if !c.OK {
			skip(t, "iptables-legacy does not work here: "+c.Name+": "+c.Detail)
		}
	}
	faulttest.Run(t, faulttest.Contract{
		Injector: legacy,
		Host:     "127.0.0.1",
		Fault:    func(to string) faults.Fault { return build(t, "drop", "established: reset\nto: "+to) },
		Fails:    timedOut,
		Silent:   true,
		Pooled:   is(syscall.ECONNRESET),
	})
}

// wish is a fault with a rule that no kernel has.
type wish struct{ faults.Fault }

func (wish) Rules(faults.Family) []faults.Rule {
	return []faults.Rule{{Match: []string{"-m", "comment", "--comment", "x"}, Action: []string{"-j", "TELEPORT"}}}
}

func TestRefusedRuleLeavesNothing(t *testing.T) {
	t.Parallel()
	_, err := (&faults.Injector{}).Install(t.Context(), wish{build(t, "drop", "to: 127.0.0.1:9")}, minute("refused"))
	if status, _ := results.Judge(err); status != results.Unknown || !strings.Contains(err.Error(), "TELEPORT") {
		t.Errorf("got %v: %v", status, err)
	}
	if a, ok := find(t, "refused"); ok {
		t.Errorf("left %+v", a)
	}
}
