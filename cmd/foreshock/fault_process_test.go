package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
)

// TestInsideFaultOnProcesses is the contract of pause and kill with scripts: exit codes,
// and that nothing stands still any more when the command is over, however it went.
func TestInsideFaultOnProcesses(t *testing.T) {
	enterInside(t)
	victim := exec.Command("sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = victim.Process.Kill(); _ = victim.Wait() }()
	pid, audit := strconv.Itoa(victim.Process.Pid), filepath.Join(t.TempDir(), "audit")
	do := func(want int, words ...string) string {
		t.Helper()
		return strings.Join(doFault(t, want, append(words, "--audit", audit)...), "")
	}
	inject := func(want int, kind string, words ...string) string {
		t.Helper()
		return do(want, append([]string{"inject", kind, "--own-children"}, words...)...)
	}
	if out := inject(exitYes, "pause", "--pid", pid, "--dry-run"); !strings.Contains(out, "pid "+pid+" (sleep), threads: 1") || stands(t, pid) {
		t.Errorf("dry run: got %s", out)
	}
	if out := inject(exitYes, "kill", "--irreversible", "--pid", pid, "--dry-run"); !strings.Contains(out, "IRREVERSIBLE") {
		t.Errorf("dry run: got %s", out)
	}
	if out := inject(exitUsage, "kill", "--pid", pid); !strings.Contains(out, "irreversible: got false, want true") {
		t.Errorf("kill that was not accepted: got %s", out)
	}
	inject(exitUsage, "pause", "--pid", pid, "--container", "abcdef")
	inject(exitUsage, "pause", "--pid", pid, "--signal", "TERM") // of another kind
	inject(exitUnsure, "pause", "--pid", "99999999")
	inject(exitStopped, "pause", "--pid", "1", "--allow", strings.Join(faults.Refusals(), ","))
	do(exitStopped, "inject", "kill", "--irreversible", "--pid", pid) // our own child
	inject(exitStopped, "pause", "--pid", pid, "--max", "1s")
	var e faults.Evidence
	if err := json.Unmarshal([]byte(doFault(t, exitYes, "inject", "pause", "--own-children", "--pid", pid, "--for", "2s", "--audit", audit, "-o", "json")[0]), &e); err != nil ||
		e.Packets != 1 || e.Unit != "threads" || e.HealedBy != faults.HealedByLimit || stands(t, pid) {
		t.Errorf("got %+v, %v", e, err)
	}

	t.Run("listed and healed", func(t *testing.T) {
		owner := startPause(t, pid)
		if out := do(exitYes, "list"); !strings.Contains(out, "pause") || !strings.Contains(out, "armed") || !strings.Contains(out, "pid "+pid+" (sleep)") {
			t.Errorf("list: got %s", out)
		}
		for _, want := range []string{"healed pause pid " + pid, "nothing to heal"} {
			if out := do(exitYes, "heal", "--all"); !strings.Contains(out, want) || stands(t, pid) {
				t.Errorf("heal: got %s, want %s", out, want)
			}
		}
		_ = owner.Wait()
		if code := owner.ProcessState.ExitCode(); code != exitNothing {
			t.Errorf("its owner ended with %d, want %d", code, exitNothing)
		}
	})
	t.Run("gone with its owner", func(t *testing.T) {
		owner := startPause(t, pid)
		if !stands(t, pid) {
			t.Fatal("it runs")
		}
		_ = owner.Process.Kill()
		_ = owner.Wait()
		deadline := time.Now().Add(faults.DefaultLease + time.Second)
		for stands(t, pid) && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		if out := do(exitYes, "list"); stands(t, pid) || out != "no faults\n" {
			t.Errorf("stands still: %v; list: got %s", stands(t, pid), out)
		}
	})

	if out := inject(exitYes, "kill", "--irreversible", "--pid", pid, "--signal", "TERM", "--for", "1h"); !strings.Contains(out, "ended        1 of 1 processes") || !strings.Contains(out, "irreversible") {
		t.Errorf("kill: got %s", out)
	}
	_ = victim.Wait()
	if s, ok := victim.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGTERM {
		t.Errorf("got %v, want its end by SIGTERM", victim.ProcessState)
	}
	text, err := os.ReadFile(audit)
	for _, want := range []string{`"kind":"pause"`, `"kind":"kill"`, `"action":"arm"`, `"by":"limit"`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("audit: got %s, %v, want %s", text, err, want)
		}
	}
}

// doFault runs foreshock fault and returns what it wrote to both outputs.
func doFault(t *testing.T, want int, words ...string) []string {
	t.Helper()
	var out, stderr bytes.Buffer
	if words[0] == "list" {
		words = words[:1] // has no audit
	}
	if got := run(t.Context(), append([]string{"fault"}, words...), &out, &stderr); got != want {
		t.Errorf("%v: got exit code %d, want %d: %s", words, got, want, stderr.String())
	}
	return []string{out.String(), stderr.String()}
}

// startPause runs the command that pauses a process, and waits until it does.
func startPause(t *testing.T, pid string) *exec.Cmd {
	t.Helper()
	owner := exec.Command("foreshock", "fault", "inject", "pause", "--pid", pid, "--audit", os.DevNull)
	said, err := owner.StdoutPipe()
	if err == nil {
		err = owner.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Process.Kill(); _ = owner.Wait() })
	if _, err := said.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	return owner
}

// stands says whether somebody holds a process.
func stands(t *testing.T, pid string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	return !strings.Contains(string(text), "\nTracerPid:\t0\n")
}
