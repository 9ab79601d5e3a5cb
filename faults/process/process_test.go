package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/process"
	"github.com/foreshock/foreshock/internal/pause"
	"github.com/foreshock/foreshock/results"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for what must come, silence is how long nothing must.
const (
	patience = 10 * time.Second
	silence  = 100 * time.Millisecond
)

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

func install(t *testing.T, kind, settings string, until time.Time) faults.Injection {
	t.Helper()
	f, err := process.Kinds().BuildText(kind, settings)
	must(t, err)
	in, err := f.Install(t.Context(), faults.Options{Run: t.Name(), Name: "peer", Until: until})
	must(t, err)
	t.Cleanup(func() { must(t, in.Close(context.Background())) })
	return in
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
	in := install(t, "pause", fmt.Sprintf("{pid: %d, own_children: true}", p.pid), time.Now().Add(time.Minute))
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
	in := install(t, "pause", settings, time.Now().Add(silence))
	must(t, in.Arm(t.Context()))
	must(t, p.echo("limit", patience))
	must(t, in.Close(t.Context()))
	if e := evidence(t, in); e.HealedBy != faults.HealedByLimit {
		t.Errorf("got healed by %q, want the limit", e.HealedBy)
	}
	in = install(t, "pause", settings, time.Now().Add(time.Minute))
	must(t, in.Arm(t.Context()))
	healed, err := pause.Heal(t.Context(), t.Name())
	if err != nil || len(healed) != 1 || !healed[0].Armed || healed[0].Name != "peer" {
		t.Errorf("heal: got %+v, %v, want one that was armed", healed, err)
	}
	must(t, p.echo("other", patience))
	if e := evidence(t, in); e.HealedBy != faults.HealedByOther {
		t.Errorf("got healed by %q, want another", e.HealedBy)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	p := startPeer(t)
	in := install(t, "kill", fmt.Sprintf("{pid: %d, own_children: true, signal: TERM}", p.pid), time.Now().Add(time.Minute))
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
	if e.Packets != 1 || e.HealedBy != "" || len(e.Spans) != 1 || !e.Spans[0].To.IsZero() || !strings.Contains(e.Rules[0], "ended after") {
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
	hold := install(t, "pause", fmt.Sprintf("{pid: %d, own_children: true}", p.pid), time.Now().Add(time.Minute))
	must(t, hold.Arm(t.Context())) // it cannot take the signal
	in := install(t, "kill", fmt.Sprintf("{pid: %d, own_children: true, signal: TERM, ends_within: 50ms}", p.pid), time.Now().Add(time.Minute))
	if err := in.Arm(t.Context()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "after SIGTERM") {
		t.Errorf("got %v, want that it lives on", err)
	}
	if e := evidence(t, in); e.Packets != 0 || !strings.Contains(e.Rules[0], "lives on") {
		t.Errorf("got %+v, want none ended", e)
	}
}

func TestKindsAndBadSettings(t *testing.T) {
	t.Parallel()
	for _, k := range process.Kinds() {
		f, err := process.Kinds().BuildText(k.Name, k.Example)
		if err != nil || f.Kind() != k.Name || f.Irreversible() != (k.Name == "kill") || f.Target() == "" {
			t.Errorf("example of %s: got %+v, %v", k.Name, f, err)
		}
	}
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
	} {
		_, err := process.Kinds().BuildText("kill", settings)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", settings, err, want)
		}
	}
	for _, kind := range []string{"pause", "kill"} {
		f, err := process.Kinds().BuildText(kind, fmt.Sprintf("pid: %d", os.Getppid()))
		must(t, err)
		_, err = f.Install(t.Context(), faults.Options{Run: "r", Until: time.Now().Add(time.Minute)})
		if !errors.Is(err, pause.ErrRefused) {
			t.Errorf("%s of an ancestor: got %v, want it refused", kind, err)
		}
		_, err = f.Install(t.Context(), faults.Options{Run: "r"})
		if err == nil || errors.Is(err, results.ErrUnknown) {
			t.Errorf("%s without an end: got %v, want an error", kind, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
