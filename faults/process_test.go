package faults_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/pause"
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
