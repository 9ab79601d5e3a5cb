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
	do(exitUsage, "--with", "nonsense")
	do(exitUsage, "--allow", "nonsense")
	do(exitUsage, "--accept-missing", "nonsense")
	do(exitUsage, "--most", "3") // of another kind
	do(exitUnsure, "--netns", "gone")
	do(exitUnsure, "--audit", "/no/such/place")
	do(exitStopped, "--max", "1s")
	do(exitNothing, "--for", "1s")
	t.Run("met", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go knock(ctx, to)
		var e faults.Evidence
		if err := json.Unmarshal([]byte(do(exitYes, "-o", "json", "--why", "test")), &e); err != nil || e.Packets == 0 || e.Attempts == 0 {
			t.Errorf("got %+v, %v", e, err)
		}
	})
	t.Setenv("FORESHOCK_CHAOS", "")
	do(exitStopped)
	if text, err := os.ReadFile(audit); err != nil || !strings.Contains(string(text), `"why":"test"`) {
		t.Errorf("audit: got %s, %v", text, err)
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
