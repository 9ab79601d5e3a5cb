package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
)

func TestGuardRefuses(t *testing.T) {
	shell, err := net.Listen("tcp", "127.0.0.22:22")
	must(t, err)
	defer shell.Close()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 21)}}
	session, err := from.DialContext(t.Context(), "tcp", shell.Addr().String())
	must(t, err)
	defer session.Close()
	taken := faulttest.Serve(t, "127.0.0.1")
	_ = install(t, "reject", "to: "+taken, minute("somebody"))
	guard := faults.Guard{
		SSH: "192.0.2.7 50000 192.0.2.1 2222",
		Own: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8440"), netip.MustParseAddrPort("0.0.0.0:9440")},
	}
	for _, c := range []struct{ settings, word, reason string }{
		{"{to: 0.0.0.0/0, protocol: all}", "everything", "names neither a host nor a port"},
		{"{to: 128.0.0.0/1, protocol: all}", "everything", "names neither a host nor a port"},
		{"{user: root}", "everything", "names neither a host nor a port"},
		{"to: 127.0.0.22:22", "ssh", "a server listens on 127.0.0.22:22"},
		{"ports: 1-1024", "ssh", "a server listens on 127.0.0.22:22"},
		{"to: 10.0.0.1:22", "ssh", "would cut ssh: it names port 22"},
		{"{to: 10.0.0.0/8, ports: 1-1024}", "ssh", "would cut ssh: it names port 22"},
		{"{to: 127.0.0.21, protocol: all}", "ssh", "an ssh connection that is open (127.0.0.2"},
		{"to: 192.0.2.1:2222", "ssh", "the ssh connection that you came by (192.0.2.7:50000 to 192.0.2.1:2222)"},
		{"{to: 192.0.2.7, protocol: all}", "ssh", "the ssh connection that you came by"},
		{"to: 127.0.0.1:8440", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"to: 127.0.0.0/8:8440", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"{to: 127.0.0.0/8, protocol: all}", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"{to: 127.0.0.1, ports: 8000-9000}", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"{to: 127.0.0.1, ports: 8000-9000, direction: in}", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"to: [10.0.0.1:80, 127.0.0.1:8440]", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"ports: [80, 8440]", "own", "would cut Foreshock's own 127.0.0.1:8440"},
		{"to: '[::1]:9440'", "own", "would cut Foreshock's own 0.0.0.0:9440"},
		{"to: 127.0.0.1:9440", "own", "would cut Foreshock's own 0.0.0.0:9440"},
		{"{to: 127.0.0.53:53, protocol: udp}", "dns", "would cut this host's own resolver (127.0.0.53:53)"},
		{"to: " + taken, "held", "run somebody holds a fault on the same target (reject of " + taken},
		{"to: 127.0.0.0/8:" + portOf(taken), "held", "run somebody holds a fault"},
	} {
		f := build(t, "drop", c.settings)
		err := guard.Check(t.Context(), f, minute("guarded"))
		if !errors.Is(err, faults.ErrRefused) || !strings.Contains(err.Error(), c.reason) || !strings.Contains(err.Error(), "--allow "+c.word) {
			t.Errorf("%s:\n got %v\nwant %s and --allow %s", c.settings, err, c.reason, c.word)
		}
		open := guard
		open.Allow = faults.Refusals()
		if err := open.Check(t.Context(), f, minute("guarded")); err != nil {
			t.Errorf("%s, all allowed: got %v", c.settings, err)
		}
	}
	for _, settings := range []string{"to: 127.0.0.1:8441", "{to: 10.0.0.1:22, protocol: udp}", "to: 10.0.0.1:53", "{to: 192.0.2.7:80}", "{to: 10.0.0.0/8, protocol: all}"} {
		if err := guard.Check(t.Context(), build(t, "drop", settings), minute("guarded")); err != nil {
			t.Errorf("%s: got %v, want it let through", settings, err)
		}
	}
	// A run may break one target twice.
	must(t, guard.Check(t.Context(), build(t, "drop", "to: "+taken), minute("somebody")))
	long := minute("guarded")
	long.Until = time.Now().Add(2 * time.Hour)
	if err := guard.Check(t.Context(), build(t, "drop", "to: 10.0.0.1:80"), long); err == nil || !strings.Contains(err.Error(), "longer than the maximum of 1h0m0s") {
		t.Errorf("too long: got %v", err)
	}
}

func TestPlanShowsRulesAndConnectionsAndChangesNothing(t *testing.T) {
	to, other := faulttest.Serve(t, "127.0.0.1"), faulttest.Serve(t, "127.0.0.1")
	conn, err := net.Dial("tcp", to)
	must(t, err)
	defer conn.Close()
	elsewhere, err := net.Dial("tcp", other)
	must(t, err)
	defer elsewhere.Close()
	before := iptables(t, "-S")
	plan, err := (&faults.Injector{}).Plan(t.Context(), build(t, "drop", "to: "+to), minute("plan"))
	must(t, err)
	if after := iptables(t, "-S"); after != before {
		t.Errorf("planned: got\n%s\nwant\n%s", after, before)
	}
	rules := strings.Join(plan.Rules, "\n")
	for _, want := range []string{"-d 127.0.0.1/32 --dport " + portOf(to), "-I INPUT 1 ", "-m recent", "--datestop", "-j DROP"} {
		if !strings.Contains(rules, want) {
			t.Errorf("no rule with %s in\n%s", want, rules)
		}
	}
	var live []string
	for _, c := range plan.Live {
		live = append(live, c.String())
	}
	mine := conn.LocalAddr().String() + " -> " + to
	if len(live) != 2 || !slices.Contains(live, mine) { // both ends are on this host
		t.Errorf("got %v, want %s and its other end", live, mine)
	}
	plan, err = (&faults.Injector{}).Plan(t.Context(), build(t, "drop", "{to: "+to+", user: 1234567}"), minute("plan"))
	if err != nil || len(plan.Live) != 0 {
		t.Errorf("another user's: got %v, %v", plan.Live, err)
	}
}

// Whoever breaks something is written down, with what and why.
func TestAudit(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	in := &faults.Injector{Audit: faults.NewAudit(&log, faults.Who{UID: 1000, User: "ada", From: "192.0.2.7", Host: "staging"})}
	o := minute("audited")
	o.Why = "game day"
	made, err := in.Install(t.Context(), build(t, "reject", "to: 127.0.0.1:9"), o)
	must(t, err)
	must(t, made.Arm(t.Context()))
	must(t, made.Disarm(t.Context()))
	must(t, made.Close(t.Context()))
	second, err := in.Install(t.Context(), build(t, "reject", "to: 127.0.0.1:9"), o)
	must(t, err)
	_, err = in.Heal(t.Context(), chainOf(t, second))
	must(t, err)
	must(t, second.Close(context.WithoutCancel(t.Context())))
	var actions []string
	for line := range strings.Lines(log.String()) {
		var e map[string]any
		must(t, json.Unmarshal([]byte(line), &e))
		actions = append(actions, e["action"].(string))
		if e["user"] != "ada" || e["uid"] != 1000.0 || e["from"] != "192.0.2.7" || e["run"] != "audited" || e["to"] != "127.0.0.1:9" || e["kind"] != "reject" || e["at"] == nil {
			t.Errorf("got %s", line)
		}
		if e["action"] == "arm" && e["why"] != "game day" || len(actions) == 3 && e["by"] != "owner" {
			t.Errorf("got %s", line)
		}
	}
	if want := []string{"install", "arm", "heal", "close", "install", "heal", "close"}; !slices.Equal(actions, want) {
		t.Errorf("got %v, want %v", actions, want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWhatCannotBeAuditedIsNotDone(t *testing.T) {
	t.Parallel()
	in := &faults.Injector{Audit: faults.NewAudit(full{}, faults.Who{})}
	_, err := in.Install(t.Context(), build(t, "reject", "to: 127.0.0.1:9"), minute("unaudited"))
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
	if a, ok := find(t, "unaudited"); ok {
		t.Errorf("left %+v", a)
	}
}

func chainOf(t *testing.T, in faults.Injection) string {
	t.Helper()
	e, err := in.Evidence(t.Context())
	must(t, err)
	return e.Chain
}
