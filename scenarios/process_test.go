package scenarios_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// dependencyEnv makes the test program the dependency of a service, at that address.
const dependencyEnv = "FORESHOCK_TEST_DEPENDENCY"

// beDependency answers at an address until it is killed.
func beDependency(address string) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(os.Getpid(), ln.Addr())
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })}
	return server.Serve(ln)
}

// beSupervisor starts a dependency whenever there is none, until its input ends.
func beSupervisor() int {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	for address := "127.0.0.1:0"; ctx.Err() == nil; {
		c := exec.CommandContext(ctx, "/proc/self/exe")
		c.Env = append(os.Environ(), dependencyEnv+"="+address)
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		if _, at, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			address = at
			fmt.Print(line)
		}
		_ = c.Wait()
		_ = sleep(ctx, 300*time.Millisecond)
	}
	return 0
}

// supervise starts a dependency that is started again when it ends. It is no child of
// this process: of a child that is held, the kernel would tell whoever waits for its end.
func supervise(t *testing.T) (pid int, address string) {
	t.Helper()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), dependencyEnv+"=supervise")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
	if _, err := fmt.Fscanln(out, &pid, &address); err != nil {
		t.Fatal(err)
	}
	return pid, address
}

// processRig is a rig whose dependency is a process of its own, which fault names as PID.
func processRig(t *testing.T, g gate, fault string) (r *rig, pid int) {
	t.Helper()
	pid, address := supervise(t)
	r = newRig(t, g)
	r.address, r.service.dependency = address, "http://"+address
	r.change = func(text string) string {
		text, _, _ = strings.Cut(text, "fault:")
		return text + "recovers_in: 3s\nfault:\n" + strings.ReplaceAll(fault, "PID", strconv.Itoa(pid))
	}
	return r, pid
}

// TestInsideProcesses: a dependency that stands still or ends, and what a watch beside
// it sees.
func TestInsideProcesses(t *testing.T) {
	enter(t)
	const (
		pause = "  - pause: {pid: PID, own_children: true}\n"
		kill  = "  - kill: {pid: PID, own_children: true, irreversible: true}\n"
		watch = "  - watch: {to: ADDRESS}\n"
	)
	right := func() gate { return newGate(t, failures, openFor) }
	t.Run("a paused dependency and a right breaker", func(t *testing.T) {
		rep := patient(t, verdict.Pass, func() *scenarios.Report {
			r, _ := processRig(t, right(), pause+watch)
			return r.run(t.Context(), t)
		})
		want(t, rep, verdict.Pass, 0, "11 properties hold")
		if p, w := rep.Faults[0], rep.Faults[1]; p.Unit != "threads" || p.Packets == 0 || p.HealedBy != "owner" || w.Attempts < failures || w.Kind != "watch" {
			t.Errorf("evidence: got %+v and %+v, want threads that were stopped, and attempts", p, w)
		}
	})
	t.Run("a paused dependency and no breaker", func(t *testing.T) {
		rep := patient(t, verdict.Fail, func() *scenarios.Report {
			r, _ := processRig(t, off{}, pause+watch)
			return r.run(t.Context(), t)
		})
		want(t, rep, verdict.Fail, 1, "failed: ", "trips-at-threshold", "quiet-while-open", "fails-fast", "answer-while-open")
	})
	t.Run("nobody counts", func(t *testing.T) {
		r, _ := processRig(t, right(), pause)
		rep := r.run(t.Context(), t)
		want(t, rep, verdict.Inconclusive, 3, `trips-at-threshold: Attempts could not be counted: a fault of processes sees none; put - watch: {to: "HOST:PORT"}`)
		for _, id := range []string{"not-before-threshold", "half-open-limit", "quiet-while-open"} { // when it is open, its answers tell
			if p := property(t, rep, id); p.Verdict != verdict.Inconclusive || !strings.Contains(p.Detail, "a fault of processes sees none") {
				t.Errorf("%s: got %v: %s, want it inconclusive, and why", id, p.Verdict, p.Detail)
			}
		}
	})
	t.Run("a killed dependency that is started again", func(t *testing.T) {
		rep := patient(t, verdict.Pass, func() *scenarios.Report {
			r, _ := processRig(t, right(), kill+watch)
			return r.run(t.Context(), t)
		})
		want(t, rep, verdict.Pass, 0, "11 properties hold")
		var b strings.Builder
		rep.WriteText(&b)
		if k := rep.Faults[0]; !k.Irreversible || k.HealedBy != "" || k.Packets != 1 || !strings.Contains(b.String(), "ended 1 of 1 processes; irreversible") {
			t.Errorf("evidence: got %+v in\n%s", k, b.String())
		}
	})
	t.Run("it dies while it is paused", func(t *testing.T) {
		r, pid := processRig(t, right(), pause+watch)
		go func() {
			for n := range r.notes {
				if strings.HasPrefix(n.Text, "fault armed: pause") {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}()
		rep := r.run(t.Context(), t)
		close(r.notes)
		want(t, rep, verdict.Invalid, 4, "did not hold during the run: the processes ended while they were paused")
	})
	t.Run("whose process has ended before", func(t *testing.T) {
		r, _ := processRig(t, right(), strings.ReplaceAll(pause, "PID", "99999999"))
		want(t, r.run(t.Context(), t), verdict.Inconclusive, 3, "fault pause pid 99999999 could not be installed")
	})
}
