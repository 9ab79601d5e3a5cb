package faults_test

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/proof"
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

// A kernelCase is one kind with some settings; TO, HOST and PORT stand for the server's.
type kernelCase struct {
	kind, settings string
	host           string
	fails, pooled  func(error) bool
}

func (c kernelCase) contract(t *testing.T, in *faults.Injector) faulttest.Contract {
	t.Helper()
	return faulttest.Contract{
		Injector: in,
		Host:     c.host,
		Fault: func(to string) faults.Fault {
			host, port, _ := net.SplitHostPort(to)
			settings := strings.NewReplacer("TO", strconv.Quote(to), "HOST", strconv.Quote(host), "PORT", port).Replace(c.settings)
			return build(t, c.kind, settings)
		},
		Fails:    c.fails,
		Silent:   c.fails(os.ErrDeadlineExceeded),
		OpenOnly: c.kind == "reset",
		Pooled:   c.pooled,
	}
}

func kernelCases() map[string]kernelCase {
	const v4, v6 = "127.0.0.1", "::1"
	refused, reset, fine := is(syscall.ECONNREFUSED), is(syscall.ECONNRESET), func(err error) bool { return err == nil }
	return map[string]kernelCase{
		"drop":             {"drop", "to: TO", v4, timedOut, timedOut},
		"drop both ways":   {"drop", "{to: TO, direction: both}", v4, timedOut, timedOut},
		"drop established": {"drop", "{to: TO, established: reset}", v4, timedOut, reset},
		"drop ipv6":        {"drop", "{to: TO, established: reset}", v6, timedOut, reset},
		"drop all":         {"drop", "{to: TO, protocol: all}", v6, timedOut, timedOut},
		"reject":           {"reject", "to: TO", v4, refused, reset},
		"reject port":      {"reject", "{to: TO, with: icmp-port-unreachable}", v4, refused, timedOut},
		"reject host":      {"reject", "{to: TO, with: icmp-host-unreachable}", v4, is(syscall.EHOSTUNREACH), timedOut},
		"reject ipv6":      {"reject", "to: TO", v6, refused, nil},
		"reset":            {"reset", "to: TO", v4, reset, reset},
		"reset ipv6":       {"reset", "to: TO", v6, reset, reset},
		"loss":             {"loss", "{to: TO, packets: 100}", v4, timedOut, timedOut},
		"loss ipv6":        {"loss", "{to: TO, packets: 100}", v6, timedOut, timedOut},
		"blackhole":        {"blackhole", "to: TO", v4, timedOut, timedOut},
		"blackhole out":    {"blackhole", "{to: TO, direction: out}", v6, timedOut, timedOut},
		"partition":        {"partition", "{between: HOST, and: HOST, ports: PORT}", v4, timedOut, timedOut},
		"partition ipv6":   {"partition", "{between: HOST, and: HOST, ports: PORT}", v6, timedOut, timedOut},
		"connections":      {"connections", "{to: TO, most: 0, beyond: reset}", v4, refused, fine},
		"connections ipv6": {"connections", "{to: TO, most: 0}", v6, timedOut, fine},
		"dns refuse":       {"dns", "to: TO", v4, refused, reset},
		"dns drop":         {"dns", "{to: TO, answer: drop}", v6, timedOut, timedOut},
		"latency":          {"latency", "{to: TO, latency: 20s}", v4, timedOut, timedOut},
		"latency ipv6":     {"latency", "{to: TO, latency: 20s, jitter: 5s, direction: in}", v6, timedOut, timedOut},
		"bandwidth":        {"bandwidth", "{to: TO, rate: 1, burst: 1}", v4, timedOut, timedOut},
		"bandwidth ipv6":   {"bandwidth", "{to: TO, rate: 8bit/s, burst: 1B, direction: both}", v6, timedOut, timedOut},
		"corrupt":          {"corrupt", "{to: TO, packets: 100}", v4, timedOut, timedOut},
		"corrupt ipv6":     {"corrupt", "{to: TO, packets: 100}", v6, timedOut, timedOut},
		"duplicate":        {"duplicate", "{to: TO, packets: 100}", v4, fine, nil},
		"duplicate ipv6":   {"duplicate", "{to: TO, packets: 100, direction: both}", v6, fine, nil},
		"reorder":          {"reorder", "{to: TO, packets: 100, by: 20s}", v4, timedOut, timedOut},
		"reorder ipv6":     {"reorder", "{to: TO, packets: 100, by: 20s}", v6, timedOut, timedOut},
	}
}

func TestKindsOnTheKernel(t *testing.T) {
	t.Parallel()
	for name, c := range kernelCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Run(t, c.contract(t, &faults.Injector{}))
		})
	}
}

// The older backend has tables of its own, and a kernel may lack it.
func TestKindsOnTheLegacyBackend(t *testing.T) {
	t.Parallel()
	legacy := &faults.Injector{Suffix: "legacy"}
	for _, c := range legacy.Probe(t.Context()) {
		if !c.OK {
			proof.Lacks(t, "iptables-legacy does not work here: "+c.Name+": "+c.Detail)
		}
	}
	cases := kernelCases()
	for _, name := range []string{"drop established", "reject ipv6", "reset", "loss", "blackhole", "partition", "connections", "dns refuse", "latency", "bandwidth", "corrupt", "duplicate ipv6", "reorder ipv6"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Run(t, cases[name].contract(t, legacy))
		})
	}
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
