package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/isolate"
)

// TestInsideFaultInject is the contract of the command with scripts: exit codes.
func TestInsideFaultInject(t *testing.T) {
	enterInside(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	to, audit := ln.Addr().String(), filepath.Join(t.TempDir(), "audit")
	do := func(want int, words ...string) string {
		t.Helper()
		var out, stderr bytes.Buffer
		args := append([]string{"fault", "inject", "reject", "--to", to, "--for", "3s", "--audit", audit}, words...)
		if got := run(t.Context(), args, &out, &stderr); got != want {
			t.Errorf("%v: got exit code %d, want %d: %s", words, got, want, stderr.String())
		}
		return out.String() + stderr.String()
	}
	if out := do(exitYes, "--dry-run"); !strings.Contains(out, "-j REJECT") {
		t.Errorf("dry run: got %s", out)
	}
	var plan, stderr bytes.Buffer
	queued := []string{"fault", "inject", "dns", "--to", "127.0.0.1", "--ports", portOf(to), "--answers", "a.example=192.0.2.7,a.example=2001:db8::7,*.b.example=nxdomain", "--dry-run"}
	if code := run(t.Context(), queued, &plan, &stderr); code != exitYes || !strings.Contains(plan.String(), "-j NFQUEUE --queue-num 32768 --queue-bypass") {
		t.Errorf("a plan with a queue: got exit code %d: %s%s", code, plan.String(), stderr.String())
	}
	do(exitUsage, "--with", "nonsense")
	do(exitUsage, "--allow", "nonsense")
	do(exitUsage, "--accept-missing", "nonsense")
	do(exitUsage, "--most", "3") // of another kind
	for _, words := range [][]string{{"--for", "0s"}, {"--for", "-3s"}, {"--lease", "0s"}, {"--lease", "1ms"}, {"--lease", "1.5s"}} {
		if out := do(exitUsage, words...); !strings.Contains(out, words[0]+": got "+words[1]) {
			t.Errorf("%v: got %s", words, out)
		}
	}
	do(exitUnsure, "--netns", "gone")
	do(exitUnsure, "--audit", "/no/such/place")
	do(exitStopped, "--max", "1s")
	do(exitNothing, "--for", "1s")
	t.Run("met", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go knock(ctx, to)
		var e faults.Evidence
		text := do(exitYes, "-o", "json", "--why", "test")
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.Packets == 0 || e.Attempts == 0 {
			t.Errorf("got %+v, %v", e, err)
		}
		for _, key := range []string{"packets", "attempts", "first_hit", "healed_by", "spans"} { // what a script reads
			if !strings.Contains(text, `"`+key+`":`) {
				t.Errorf("no key %s in %s", key, text)
			}
		}
	})
	t.Setenv("FORESHOCK_CHAOS", "")
	do(exitStopped)
	if text, err := os.ReadFile(audit); err != nil || !strings.Contains(string(text), `"why":"test"`) {
		t.Errorf("audit: got %s, %v", text, err)
	}
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// Each line is what a person would type; the flags must reach the settings of the kind.
func TestFlagsOfFaultKinds(t *testing.T) {
	t.Parallel()
	for kind, settings := range map[string]map[string]string{
		"latency":   {"latency": "100ms", "jitter": "10ms", "distribution": "normal", "user": "root"},
		"bandwidth": {"rate": "1Mbit/s", "burst": "10kB", "queue": "64kB"},
		"corrupt":   {"packets": "1%"},
		"duplicate": {"packets": "1", "percent": "50%"},
		"reorder":   {"packets": "1", "by": "5ms"},
		"dns":       {"answer": "192.0.2.7,2001:db8::7", "answers": "a.example=192.0.2.7, a.example=192.0.2.8,*.b.example=nxdomain"},
	} {
		settings["to"] = "127.0.0.1:9"
		if _, err := faults.Kinds().BuildText(kind, faultOrder{settings: settings}.yaml()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	_, err := faults.Kinds().BuildText("dns", faultOrder{settings: map[string]string{"to": "127.0.0.1", "answers": "a.example"}}.yaml())
	if err == nil || !strings.Contains(err.Error(), `answers[a.example]: got "", want addresses`) {
		t.Errorf("an answer that is missing: got %v", err)
	}
}

// enterInside skips outside of what TestLoop runs, and makes its namespaces ready.
func enterInside(t *testing.T) {
	t.Helper()
	if os.Getenv(insideEnv) == "" {
		t.Skip("run by TestLoop")
	}
	dir, err := entered()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
}

// entered makes the namespaces ready, once for all tests in them.
var entered = sync.OnceValues(func() (dir string, err error) {
	_, dir, err = isolate.Enter(context.Background())
	return dir, err
})

func knock(ctx context.Context, to string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if conn, err := net.Dial("tcp", to); err == nil {
				conn.Close()
			}
		}
	}
}

// TestInsideHealEverywhere: a fault that a killed command left in a namespace of
// another process is found and removed without being named.
func TestInsideHealEverywhere(t *testing.T) {
	enterInside(t)
	there := exec.Command("sh", "-c", "ip link set lo up && echo up && exec sleep 60")
	there.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := there.StdoutPipe()
	if err == nil {
		err = there.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = there.Process.Kill()
		_ = there.Wait()
	}()
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	word := "pid:" + strconv.Itoa(there.Process.Pid)
	owner := exec.Command("foreshock", "fault", "inject", "drop", "--to", "127.0.0.1:9", "--netns", word, "--audit", os.DevNull)
	said, err := owner.StdoutPipe()
	if err == nil {
		err = owner.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := said.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	_ = owner.Process.Kill()
	_ = owner.Wait()
	in := &faults.Injector{Netns: word}
	if list, err := in.List(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("left behind: got %+v, %v, want one", list, err)
	}
	for range 2 {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"fault", "heal", "--all", "--audit", os.DevNull}, &stdout, &stderr); code != exitYes {
			t.Errorf("heal: got exit code %d: %s", code, stderr.String())
		}
		if list, err := in.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("after: got %+v, %v", list, err)
		}
	}
}
