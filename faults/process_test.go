package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/pause"
	"github.com/foreshock/foreshock/results"
)

// silence is how long nothing must come of what stands still.
const silence = 100 * time.Millisecond

// A peer is a child that says what it is told.
type peer struct {
	pid   int
	in    io.Writer
	out   *os.File
	lines *bufio.Reader
	cmd   *exec.Cmd
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	c := exec.Command("cat")
	in, err := c.StdinPipe()
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	c.Stdout = w
	must(t, c.Start())
	must(t, w.Close())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = r.Close()
	})
	return &peer{c.Process.Pid, in, r, bufio.NewReader(r), c}
}

// stands says whether it is held by another.
func (p *peer) stands() bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	return err == nil && !strings.Contains(string(text), "\nTracerPid:\t0\n")
}

// echo says a word and hears it within a time.
func (p *peer) echo(word string, within time.Duration) error {
	if _, err := io.WriteString(p.in, word+"\n"); err != nil {
		return err
	}
	return p.hear(word, within)
}

func (p *peer) hear(word string, within time.Duration) error {
	_ = p.out.SetReadDeadline(time.Now().Add(within))
	got, err := p.lines.ReadString('\n')
	if err == nil && got != word+"\n" {
		err = fmt.Errorf("got %q, want %q", got, word)
	}
	return err
}

func evidence(t *testing.T, in faults.Injection) faults.Evidence {
	t.Helper()
	e, err := in.Evidence(t.Context())
	must(t, err)
	return e
}

func TestPause(t *testing.T) {
	t.Parallel()
	p := startPeer(t)
	in := install(t, "pause", fmt.Sprintf("{pid: %d, own_children: true}", p.pid), minute(t.Name()))
	must(t, p.echo("disarmed", patience))
	if e := evidence(t, in); e.Packets != 0 || len(e.Spans) != 0 {
		t.Errorf("before arm: got %+v, want nothing", e)
	}
	for n := range 2 {
		must(t, in.Arm(t.Context()))
		must(t, in.Arm(t.Context()))
		if err := p.echo("paused", silence); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("while armed: got %v, want no answer", err)
		}
		must(t, in.Disarm(t.Context()))
		must(t, in.Disarm(t.Context()))
		must(t, p.hear("paused", patience))
		e := evidence(t, in)
		if e.Kind != "pause" || e.To != fmt.Sprintf("pid %d (cat)", p.pid) || e.Packets != uint64(n+1) || len(e.Spans) != n+1 ||
			e.HealedBy != faults.HealedByOwner || e.Tampered != "" || e.FirstHit.IsZero() || len(e.Rules) != 1 || e.Spans[n].To.Sub(e.Spans[n].From) < silence {
			t.Errorf("after pause %d: got %+v", n+1, e)
		}
	}
	if attempts, err := in.Attempts(t.Context(), 0); err != nil || len(attempts) != 0 {
		t.Errorf("attempts: got %v, %v, want none", attempts, err)
	}
	must(t, in.Close(t.Context()))
	must(t, in.Close(t.Context()))
	if err := in.Arm(t.Context()); !errors.Is(err, pause.ErrClosed) {
		t.Errorf("arm after close: got %v", err)
	}
}

func TestPauseHealedByLimitAndByAnother(t *testing.T) {
	t.Parallel()
	p := startPeer(t)
	settings := fmt.Sprintf("{pid: %d, own_children: true, tree: true}", p.pid)
	in := install(t, "pause", settings, faults.Options{Run: t.Name(), Until: time.Now().Add(2 * time.Second)})
	must(t, in.Arm(t.Context()))
	must(t, p.echo("limit", patience))
	must(t, in.Close(t.Context()))
	if e := evidence(t, in); e.HealedBy != faults.HealedByLimit {
		t.Errorf("got healed by %q, want the limit", e.HealedBy)
	}
	in = install(t, "pause", settings, minute(t.Name()))
	must(t, in.Arm(t.Context()))
	if found, ok := find(t, t.Name()); !ok || !found.Armed || !found.Owned || found.Kind != "pause" || found.Packets != 1 {
		t.Errorf("list: got %+v, want one that is armed", found)
	}
	swept, err := (&faults.Injector{}).Sweep(t.Context())
	if slices.ContainsFunc(swept, func(a faults.Active) bool { return a.Run == t.Name() }) || err != nil {
		t.Errorf("swept %+v, %v, and its owner lives", swept, err)
	}
	healed, err := (&faults.Injector{}).Heal(t.Context(), t.Name())
	if err != nil || len(healed) != 1 || !healed[0].Armed {
		t.Errorf("heal: got %+v, %v, want one that was armed", healed, err)
	}
	must(t, p.echo("other", patience))
	if e := evidence(t, in); e.HealedBy != faults.HealedByOther || e.Tampered == "" {
		t.Errorf("got healed by %q, tampered %q, want another", e.HealedBy, e.Tampered)
	}
	if found, ok := find(t, t.Name()); ok {
		t.Errorf("list: got %+v, want nothing", found)
	}
}

func TestKillEndsTheProcess(t *testing.T) {
	t.Parallel()
	p := startPeer(t)
	in := install(t, "kill", fmt.Sprintf("{pid: %d, own_children: true, irreversible: true, signal: TERM}", p.pid), minute(t.Name()))
	must(t, p.echo("disarmed", patience))
	must(t, in.Arm(t.Context()))
	if err := p.hear("", patience); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end of its output", err)
	}
	_ = p.cmd.Wait()
	if got := p.cmd.ProcessState.String(); got != "signal: terminated" {
		t.Errorf("got %s, want signal: terminated", got)
	}
	must(t, in.Arm(t.Context())) // not a second time
	must(t, in.Disarm(t.Context()))
	e := evidence(t, in)
	if e.Packets != 1 || e.HealedBy != "" || !e.Irreversible || len(e.Spans) != 1 || !e.Spans[0].To.IsZero() || !strings.Contains(e.Rules[0], "ended after") {
		t.Errorf("got %+v, want one ended and nothing healed", e)
	}
	must(t, in.Close(t.Context()))
	if err := in.Arm(t.Context()); !errors.Is(err, faults.ErrClosed) {
		t.Errorf("arm after close: got %v", err)
	}
}

func TestKillOfOneThatLivesOn(t *testing.T) {
	t.Parallel()
	p := startPeer(t)
	hold := install(t, "pause", fmt.Sprintf("{pid: %d, own_children: true}", p.pid), minute(t.Name()))
	must(t, hold.Arm(t.Context())) // it cannot take the signal
	in := install(t, "kill", fmt.Sprintf("{pid: %d, own_children: true, irreversible: true, signal: TERM, ends_within: 50ms}", p.pid), minute(t.Name()))
	if err := in.Arm(t.Context()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "after SIGTERM") {
		t.Errorf("got %v, want that it lives on", err)
	}
	if e := evidence(t, in); e.Packets != 0 || !strings.Contains(e.Rules[0], "lives on") {
		t.Errorf("got %+v, want none ended", e)
	}
}

// The doors of pauses are in the namespace of their owner, wherever one asks from.
func TestPauseInAnotherNamespaceIsHealed(t *testing.T) {
	p := startPeer(t)
	order, err := json.Marshal(ownerOrder{Kind: "pause", Settings: fmt.Sprintf("pid: %d", p.pid), Options: minute("elsewhere")})
	must(t, err)
	c := exec.Command("/proc/self/exe", "-faults.owner="+string(order))
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	if lines := bufio.NewScanner(out); !lines.Scan() || lines.Text() != "armed" {
		t.Fatalf("owner: got %q", lines.Text())
	}
	if found, ok := find(t, "elsewhere"); ok {
		t.Errorf("list here: got %+v, want nothing", found)
	}
	there := &faults.Injector{Netns: fmt.Sprintf("pid:%d", c.Process.Pid)}
	if list, err := there.List(t.Context()); err != nil || len(list) != 1 || !list[0].Armed {
		t.Fatalf("list there: got %+v, %v", list, err)
	}
	if err := p.echo("on", silence); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("while armed: got %v, want no answer", err)
	}
	healed, err := there.HealAll(t.Context())
	if err != nil || len(healed) != 1 {
		t.Errorf("heal: got %+v, %v", healed, err)
	}
	must(t, p.hear("on", patience))
}

func TestBadProcesses(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"":                             "got nothing",
		"{}":                           "neither a pid nor a container",
		"pid: -3":                      "pid: got pid -3",
		"pid: 99999999999":             "pid: got 99999999999",
		"{pid: 7, container: abcdef0}": "want one of them",
		"container: abc":               "container: got container \"abc\"",
		"{pid: 7, signal: STOP}":       "STOP",
		"{pid: 7, ends_within: 0s}":    "ends_within: got 0s",
		"{pid: 7, sigal: KILL}":        "signal",
		"pid: 7":                       "irreversible: got false, want true",
	} {
		_, err := faults.Kinds().BuildText("kill", settings)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", settings, err, want)
		}
	}
	_, err := faults.Kinds().BuildText("watch", "{to: a:1, protocol: udp}")
	if err == nil || !strings.Contains(err.Error(), "protocol: got udp") {
		t.Errorf("watch of datagrams: got %v", err)
	}
	for _, settings := range []string{"pause", "kill"} {
		f := build(t, settings, kindSettings(settings, os.Getppid()))
		_, err := (&faults.Injector{}).Install(t.Context(), f, minute("r"))
		if !errors.Is(err, faults.ErrRefused) {
			t.Errorf("%s of an ancestor: got %v, want it refused", settings, err)
		}
		if err := (faults.Guard{Allow: faults.Refusals()}).Check(t.Context(), f, minute("r")); !errors.Is(err, faults.ErrRefused) {
			t.Errorf("%s of an ancestor, all allowed: got %v, want it refused", settings, err)
		}
		if _, err = (&faults.Injector{}).Install(t.Context(), f, faults.Options{Run: "r"}); err == nil || errors.Is(err, results.ErrUnknown) {
			t.Errorf("%s without an end: got %v, want an error", settings, err)
		}
	}
}

func kindSettings(kind string, pid int) string {
	settings := fmt.Sprintf("pid: %d\nown_children: true\n", pid)
	if kind == "kill" {
		settings += "irreversible: true\n"
	}
	return settings
}

// What a host cannot do without is refused by its name, and Foreshock by its program.
func TestGuardKeepsHandsOffProcesses(t *testing.T) {
	t.Parallel()
	sleep, err := exec.LookPath("sleep")
	must(t, err)
	start := func(program string, args ...string) int {
		t.Helper()
		c := exec.Command(program, args...)
		must(t, c.Start())
		t.Cleanup(func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		})
		return c.Process.Pid
	}
	named := func(name string) int {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		text, err := os.ReadFile(sleep)
		must(t, err)
		must(t, os.WriteFile(path, text, 0o700))
		return start(path, "60")
	}
	plain, other := startPeer(t), startPeer(t)
	hold := install(t, "pause", kindSettings("pause", other.pid), minute("theirs"))
	must(t, hold.Arm(t.Context()))
	owner, _ := startOwner(t, "reject", "to: "+faulttest.Serve(t, "127.0.0.1"), minute("owner"))
	for word, pid := range map[string]int{
		"ssh": named("sshd"), "dns": named("systemd-resolve"), "everything": named("dbus-daemon"), "own": owner.Process.Pid, "held": other.pid,
	} {
		for _, kind := range []string{"pause", "kill"} {
			f := build(t, kind, kindSettings(kind, pid))
			err := faults.Guard{}.Check(t.Context(), f, minute("guarded"))
			if !errors.Is(err, faults.ErrRefused) || !strings.Contains(err.Error(), "--allow "+word) {
				t.Errorf("%s of %d: got %v, want --allow %s", kind, pid, err, word)
			}
			if err := (faults.Guard{Allow: []string{word}}).Check(t.Context(), f, minute("guarded")); err != nil {
				t.Errorf("%s of %d, allowed: got %v", kind, pid, err)
			}
		}
	}
	f := build(t, "kill", kindSettings("kill", plain.pid))
	must(t, faults.Guard{}.Check(t.Context(), f, minute("guarded")))
	plan, err := (&faults.Injector{}).Plan(t.Context(), f, minute("plan"))
	if want := fmt.Sprintf("pid %d (cat), threads: 1", plain.pid); err != nil || !plan.Irreversible || len(plan.Processes) != 1 || plan.Processes[0] != want {
		t.Errorf("plan: got %+v, %v, want %s", plan, err, want)
	}
	must(t, plain.echo("untouched", patience))
}

// Whoever pauses or kills is written down, and what cannot be is not done.
func TestProcessesAreAudited(t *testing.T) {
	t.Parallel()
	p := startPeer(t)
	var log bytes.Buffer
	in := &faults.Injector{Audit: faults.NewAudit(&log, faults.Who{User: "ada"})}
	made, err := in.Install(t.Context(), build(t, "pause", kindSettings("pause", p.pid)), minute("audited"))
	must(t, err)
	must(t, made.Arm(t.Context()))
	must(t, made.Disarm(t.Context()))
	must(t, made.Close(t.Context()))
	must(t, made.Close(t.Context()))
	var actions []string
	for line := range strings.Lines(log.String()) {
		var e map[string]any
		must(t, json.Unmarshal([]byte(line), &e))
		actions = append(actions, e["action"].(string))
		if e["user"] != "ada" || e["kind"] != "pause" || e["run"] != "audited" || e["action"] == "heal" && e["by"] != "owner" {
			t.Errorf("got %s", line)
		}
	}
	if got := strings.Join(actions, " "); got != "install arm heal close" {
		t.Errorf("got %s, want install arm heal close", got)
	}
	_, err = (&faults.Injector{Audit: faults.NewAudit(full{}, faults.Who{})}).Install(t.Context(), build(t, "pause", kindSettings("pause", p.pid)), minute("full"))
	if _, left := find(t, "full"); err == nil || left {
		t.Errorf("not audited: got %v, left %v", err, left)
	}
	in = &faults.Injector{Audit: faults.NewAudit(&lines{left: 1}, faults.Who{})}
	made, err = in.Install(t.Context(), build(t, "pause", kindSettings("pause", p.pid)), minute("arm"))
	must(t, err)
	if err := made.Arm(t.Context()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("arm without a line: got %v", err)
	}
	must(t, p.echo("untouched", patience))
	must(t, made.Close(t.Context()))
	if e := evidence(t, made); e.Unaudited == "" || e.Packets != 0 {
		t.Errorf("got %+v, want that it lacks a line", e)
	}
}

// lines takes so many and no more.
type lines struct{ left int }

func (l *lines) Write(b []byte) (int, error) {
	if l.left--; l.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

// Beside a pause, a watch sees who tries and that packets came, and breaks nothing.
func TestWatchCountsAndBreaksNothing(t *testing.T) {
	t.Parallel()
	to := faulttest.Serve(t, "127.0.0.1")
	f := build(t, "watch", "to: "+to)
	if faults.Breaks(f) || !faults.Counts(f) || faults.Irreversible(f) {
		t.Error("a watch breaks something, or does not count")
	}
	in := install(t, "watch", "to: "+to, minute("watch"))
	must(t, in.Arm(t.Context()))
	for range 3 {
		must(t, faulttest.Dial(to))
	}
	e := evidence(t, in)
	if e.Attempts != 3 || e.Packets < 3 || e.Tampered != "" || e.FirstHit.IsZero() {
		t.Errorf("got %+v, want 3 attempts and their packets", e)
	}
	must(t, in.Disarm(t.Context()))
	must(t, faulttest.Dial(to))
	if after := evidence(t, in); after.Attempts != 4 || after.HealedBy != faults.HealedByOwner {
		t.Errorf("disarmed: got %+v, want a fourth attempt", after)
	}
}
