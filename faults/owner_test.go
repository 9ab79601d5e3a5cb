package faults_test

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
)

// startOwner runs another process that holds an armed fault, and waits until it does.
func startOwner(t *testing.T, kind, settings string, o faults.Options) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	order, err := json.Marshal(ownerOrder{Kind: kind, Settings: settings, Options: o})
	must(t, err)
	c := exec.Command("/proc/self/exe", "-faults.owner="+string(order))
	out, err := c.StdoutPipe()
	must(t, err)
	var stderr strings.Builder
	c.Stderr = &stderr
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "armed" {
		_ = c.Process.Kill()
		_ = c.Wait() // its last words are complete then
		t.Fatalf("owner: got %q, want armed: %s", lines.Text(), stderr.String())
	}
	return c, lines
}

func find(t *testing.T, run string) (faults.Active, bool) {
	t.Helper()
	list, err := (&faults.Injector{}).List(t.Context())
	must(t, err)
	at := slices.IndexFunc(list, func(a faults.Active) bool { return a.Run == run })
	if at < 0 {
		return faults.Active{}, false
	}
	return list[at], true
}

func dials(to string) func() bool { return func() bool { return faulttest.Dial(to) == nil } }

// The promise of the package: no process alive, no clean-up run, and traffic flows.
func TestFaultEndsWithItsKilledOwner(t *testing.T) {
	to := faulttest.Serve(t, "127.0.0.1")
	o := faults.Options{Run: "killed", Name: "db", Location: "here", Until: time.Now().Add(time.Hour), Lease: time.Second}
	c, _ := startOwner(t, "reject", "to: "+to, o)
	if dials(to)() {
		t.Fatal("the fault does not bite")
	}
	a, ok := find(t, "killed")
	if !ok || !a.Armed || !a.Owned || a.Name != "db" || a.Location != "here" || a.Kind != "reject" || a.To != to || a.Packets == 0 {
		t.Fatalf("list: got %+v", a)
	}
	if swept, err := (&faults.Injector{}).Sweep(t.Context()); err != nil || slices.ContainsFunc(swept, func(b faults.Active) bool { return b.Run == "killed" }) {
		t.Fatalf("sweep took a living owner's: %v, %v", swept, err)
	}
	must(t, c.Process.Kill())
	_ = c.Wait()
	took := eventually(t, o.Lease+time.Second, "healed", dials(to))
	t.Logf("healed %v after SIGKILL, lease %v", took, o.Lease)

	a, ok = find(t, "killed")
	if !ok || a.Armed || a.Owned {
		t.Errorf("after the kill: got %+v, want it there, not armed and not owned", a)
	}
	for range 2 {
		_, err := (&faults.Injector{}).Sweep(t.Context())
		must(t, err)
		if a, ok := find(t, "killed"); ok {
			t.Errorf("after the sweep: got %+v", a)
		}
	}
	must(t, faulttest.Dial(to))
}

func TestHardEndHealsAlthoughTheLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	until := time.Now().Add(3 * time.Second)
	in := install(t, "reject", "to: "+to, faults.Options{Run: "limit", Until: until})
	must(t, in.Arm(t.Context()))
	if dials(to)() {
		t.Fatal("the fault does not bite")
	}
	eventually(t, time.Until(until)+time.Second, "healed", dials(to))
	if late := time.Since(until); late > 500*time.Millisecond {
		t.Errorf("healed %v after the hard end", late)
	}
	e, err := in.Evidence(t.Context())
	must(t, err)
	if e.HealedBy != faults.HealedByLimit {
		t.Errorf("healed by %q, want %q", e.HealedBy, faults.HealedByLimit)
	}
}

// A stalled owner is not a dead one: its fault flickers, and says so.
func TestStalledOwnerReportsTheFlicker(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	c, lines := startOwner(t, "reject", "to: "+to, faults.Options{Run: "stalled", Until: time.Now().Add(time.Hour), Lease: time.Second})
	must(t, c.Process.Signal(syscall.SIGSTOP))
	eventually(t, 2*time.Second, "healed", dials(to))
	must(t, c.Process.Signal(syscall.SIGCONT))
	eventually(t, 2*time.Second, "armed again", func() bool { return !dials(to)() })
	must(t, c.Process.Signal(syscall.SIGINT))
	var e faults.Evidence
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &e) != nil {
		t.Fatalf("owner: got %q, want its evidence", lines.Text())
	}
	if e.Lapses != 1 || e.LongestGap < 900*time.Millisecond || e.HealedBy != faults.HealedByOwner || e.Tampered != "" {
		t.Errorf("evidence: got %+v, want one lapse of about 1s", e)
	}
	must(t, c.Wait())
	must(t, faulttest.Dial(to))
}

func TestHealFromAnotherProcessByName(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	_, _ = startOwner(t, "drop", "to: "+to, faults.Options{Run: "named", Name: "the-db", Until: time.Now().Add(time.Hour)})
	for n := range 2 {
		healed, err := (&faults.Injector{}).Heal(t.Context(), "the-db")
		must(t, err)
		if len(healed) != 1-n {
			t.Errorf("heal %d: got %v", n, healed)
		}
	}
	must(t, faulttest.Dial(to))
}

func TestHealAllRemovesOursAlone(t *testing.T) {
	to, to6 := faulttest.Serve(t, "127.0.0.1"), faulttest.Serve(t, "::1")
	iptables(t, "-N", "FS-of-somebody-else")
	iptables(t, "-N", "FS-00000000-00000000") // like ours, but with a rule that is not
	iptables(t, "-A", "FS-00000000-00000000", "-m", "comment", "--comment", `say "hi" \o/`, "-j", "ACCEPT")
	iptables(t, "-N", "FS-11111111-11111111") // an owner died before its first rule
	before := iptables(t, "-S")
	t.Cleanup(func() {
		iptables(t, "-F", "FS-00000000-00000000")
		iptables(t, "-X", "FS-00000000-00000000")
		iptables(t, "-X", "FS-of-somebody-else")
	})
	o := faults.Options{Run: "all", Until: time.Now().Add(time.Hour)}
	startOwner(t, "drop", "to: "+to, o)
	startOwner(t, "drop", `to: "`+to6+`"`, o)
	healed, err := (&faults.Injector{}).HealAll(t.Context())
	must(t, err)
	if len(healed) != 3 {
		t.Errorf("healed %+v, want three", healed)
	}
	if healed, err = (&faults.Injector{}).HealAll(t.Context()); err != nil || len(healed) != 0 {
		t.Errorf("healed again: %+v, %v", healed, err)
	}
	must(t, faulttest.Dial(to))
	must(t, faulttest.Dial(to6))
	if after := iptables(t, "-S"); after != strings.ReplaceAll(before, "-N FS-11111111-11111111\n", "") {
		t.Errorf("rules: got\n%swant without the empty chain\n%s", after, before)
	}
}

func install(t *testing.T, kind, settings string, o faults.Options) faults.Injection {
	t.Helper()
	in, err := (&faults.Injector{}).Install(t.Context(), build(t, kind, settings), o)
	must(t, err)
	t.Cleanup(func() { must(t, in.Close(t.Context())) })
	return in
}

func iptables(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("iptables", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("iptables %v: %v: %s", args, err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
