package faults_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/results"
)

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
