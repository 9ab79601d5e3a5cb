package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/lab"
)

func TestLabWords(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.foreshock(0, "breaker", "lab", "--list").out("^wrong-leaks-tenth +Go +lets one call in ten through while open").out("^opossum +Node ")
	s.foreshock(0, "breaker", "lab", "-h").err("--rounds N +run each case N times")
	s.foreshock(2, "breaker").err("got no breaker, want one of lab")
	s.foreshock(2, "breaker", "lab", "plain").err(`got "plain", want flags only; --only names cases`)
	s.foreshock(2, "breaker", "lab", "--only", "plain,plian").err(`--only: case: got "plian", want one of those that foreshock breaker lab --list names`)
	s.foreshock(2, "breaker", "lab", "--rounds", "0").err("--rounds: got 0, want at least 1")
	s.foreshock(2, "breaker", "lab", "--parallel", "0").err("--parallel: got 0, want at least 1")
	s.foreshock(2, "breaker", "lab", "--load", "half").err(`--load: got "half", want 0% to 1600% of all cores`)
}

// A case runs in namespaces of its own, and what it came to is told in JSON.
func TestLab(t *testing.T) {
	t.Parallel()
	need(t, "iptables", "apt-get install iptables")
	s := newShell(t)
	for tries := 1; ; tries++ {
		cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "foreshock"), "breaker", "lab", "--only", "wrong-opens-at-twice", "-o", "json", "--reports", "reports", "--load", "10%")
		cmd.Dir, cmd.Env = s.dir, s.env
		out, err := cmd.Output()
		var row lab.Row
		if jerr := json.Unmarshal(out, &row); jerr != nil {
			t.Fatalf("%v, %v in %q", err, jerr, out)
		}
		if row.Outcome == lab.NoVerdict && tries < 5 { // right on a machine short of CPU
			t.Logf("no verdict: %s", row.Reason)
			continue
		}
		if err != nil || row.Outcome != lab.Hit || row.Round != 1 || row.Report != nil {
			t.Errorf("got %v and %+v, want exit code 0 and a hit", err, row)
		}
		break
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "reports", "wrong-opens-at-twice-1.json"))
	if err != nil || !strings.Contains(string(b), `"schema": "foreshock.scenario/1"`) {
		t.Errorf("got %v and %.60q, want the report", err, b)
	}
}

// Ctrl-C ends it at once, and everything that it started.
func TestLabIsStopped(t *testing.T) {
	t.Parallel()
	need(t, "iptables", "apt-get install iptables")
	s := newShell(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "foreshock"), "breaker", "lab", "--only", "plain", "--load", "10%")
	cmd.Dir, cmd.Env = s.dir, s.env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Second && len(s.processes()) < 5; {
		time.Sleep(20 * time.Millisecond)
	}
	if n := len(s.processes()); n < 5 {
		t.Errorf("got %d processes, want the lab, its inner one, one that burns, a service and dependencies", n)
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("got %v, want exit code 5", err)
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Second && len(s.processes()) > 0; {
		time.Sleep(20 * time.Millisecond)
	}
	if left := s.processes(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// processes are those that run a program of the shell's own.
func (s *shell) processes() (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range all {
		if to, err := os.Readlink(exe); err == nil && strings.HasPrefix(to, s.bin+"/") {
			found = append(found, exe)
		}
	}
	return found
}
