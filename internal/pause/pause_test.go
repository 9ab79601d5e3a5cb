package pause_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/pause"
)

// silence is how long nothing must come.
const silence = 100 * time.Millisecond

func options(run string) pause.Options {
	return pause.Options{Run: run, Until: time.Now().Add(time.Minute), OwnChildren: true}
}

func open(t *testing.T, s pause.Selector, o pause.Options) *pause.Pause {
	t.Helper()
	p, err := pause.Open(t.Context(), s, o)
	must(t, err)
	t.Cleanup(func() { must(t, p.Close(context.Background())) })
	return p
}

func last(t *testing.T, p *pause.Pause) pause.Span {
	t.Helper()
	e := p.Evidence()
	if len(e.Spans) == 0 {
		t.Fatal("got no span")
	}
	if len(e.Escaped) != 0 {
		t.Errorf("escaped: got %q, want none", e.Escaped)
	}
	return e.Spans[len(e.Spans)-1]
}

// standing looks from outside: every thread is in a tracing stop.
func standing(t *testing.T, pid int) (threads int) {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	must(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, e.Name()))
		must(t, err)
		state := text[bytes.LastIndexByte(text, ')')+2]
		if state != 't' && state != 'Z' && state != 'D' {
			t.Errorf("thread %s of %d: got state %c, want t", e.Name(), pid, state)
		}
	}
	return len(entries)
}

// free looks from outside: no thread is traced.
func free(t *testing.T, pid int) {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	must(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, e.Name()))
		if err == nil && !strings.Contains(string(text), "TracerPid:\t0\n") {
			t.Errorf("thread %s of %d is still traced", e.Name(), pid)
		}
	}
}

// The peer of a paused process waits; nothing is refused, reset or lost.
func TestPausedTargetHangsAndLosesNothing(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("hang"))
	conn, err := net.Dial("tcp", tg.addr)
	must(t, err)
	defer conn.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<21) // more than any buffer takes
	go func() { _, _ = conn.Write(sent) }()
	got := make([]byte, len(sent))
	_, err = io.ReadFull(conn, got[:1000])
	must(t, err)

	must(t, p.Arm(t.Context()))
	must(t, p.Arm(t.Context())) // is armed, stays so
	threads := standing(t, tg.pid)
	n := 1000
	must(t, conn.SetReadDeadline(time.Now().Add(silence)))
	for err = nil; err == nil && n < len(got); { // what was on its way still comes
		var more int
		more, err = conn.Read(got[n:])
		n += more
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read from a paused peer: got %v after %d bytes, want a timeout", err, n)
	}
	fresh, err := net.Dial("tcp", tg.addr) // the kernel takes the connection
	must(t, err)
	defer fresh.Close()
	_, err = fresh.Write([]byte("x"))
	must(t, err)
	must(t, fresh.SetReadDeadline(time.Now().Add(silence)))
	if _, err := fresh.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read on a new connection: got %v, want a timeout", err)
	}
	e := p.Evidence()
	if len(e.Spans) != 1 || e.Spans[0].Threads != threads || !e.Spans[0].To.IsZero() || e.Spans[0].By != "" {
		t.Errorf("while paused: got %+v, want one open span of %d threads", e.Spans, threads)
	}

	start := time.Now()
	must(t, p.Disarm(t.Context()))
	t.Logf("%d threads stopped in %v, resumed in %v, first beat %v after", threads, e.Spans[0].Full.Sub(e.Spans[0].From), time.Since(start), tg.after(t, start))
	must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = io.ReadFull(conn, got[n:])
	must(t, err)
	if !bytes.Equal(got, sent) {
		t.Error("the bytes that came back are not those that were sent")
	}
	must(t, fresh.SetReadDeadline(time.Now().Add(10*time.Second)))
	if _, err := fresh.Read(make([]byte, 1)); err != nil {
		t.Errorf("on the new connection after the pause: %v", err)
	}
	s := last(t, p)
	if s.By != pause.ByOwner || s.To.Sub(s.Full) < 2*silence {
		t.Errorf("got %+v, want ended by the owner after %v or more", s, 2*silence)
	}
	tg.still(t, s)
	must(t, p.Close(t.Context()))
	must(t, p.Close(t.Context()))
	wantError(t, p.Arm(t.Context()), pause.ErrClosed)
}

// Threads and processes that are made in the very moment are stopped too.
func TestNothingEscapesWhileThreadsAndProcessesAreMade(t *testing.T) {
	t.Parallel()
	for _, tree := range []bool{false, true} {
		t.Run(fmt.Sprint("tree ", tree), func(t *testing.T) {
			t.Parallel()
			tg := start(t, "forks")
			p := open(t, pause.Selector{PID: tg.pid, Tree: tree}, options("churn"))
			for range 20 {
				must(t, p.Arm(t.Context()))
				standing(t, tg.pid)
				if tree {
					family := descendants(t, tg.pid)
					for _, pid := range family {
						standing(t, pid)
					}
					if again := descendants(t, tg.pid); !slices.Equal(family, again) {
						t.Errorf("descendants: got %v, then %v, want no change", family, again)
					}
				}
				must(t, p.Disarm(t.Context()))
				free(t, tg.pid)
				tg.still(t, last(t, p))
			}
			t.Logf("%+v", p.Evidence().Processes)
		})
	}
}

func descendants(t *testing.T, root int) []int {
	t.Helper()
	family := []int{root}
	for n := 0; n < len(family); n++ {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", family[n]))
		for _, task := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", family[n], task.Name()))
			for f := range strings.FieldsSeq(string(text)) {
				var pid int
				_, _ = fmt.Sscan(f, &pid)
				if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && text[bytes.LastIndexByte(text, ')')+2] != 'Z' {
					family = append(family, pid)
				}
			}
		}
	}
	return family
}

func state(t *testing.T, pid int) byte {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	return text[bytes.LastIndexByte(text, ')')+2]
}

// A signal that comes while the target is stopped, or is being stopped, is delivered.
func TestNoSignalIsLost(t *testing.T) {
	t.Parallel()
	tg := start(t, "200") // it takes a while to stop so many
	p := open(t, pause.Selector{PID: tg.pid}, options("signals"))
	heard := make(chan int)
	stop := make(chan struct{})
	go func() {
		n := 0
		defer func() { heard <- n }()
		for ; ; n++ { // each waits for the one before: they do not queue
			_ = unix.Kill(tg.pid, unix.SIGUSR1)
			for tg.signalled() <= n {
				select {
				case <-stop:
					return
				default:
				}
			}
		}
	}()
	for range 30 {
		must(t, p.Arm(t.Context()))
		must(t, p.Disarm(t.Context()))
		before := tg.signalled()
		eventually(t, "signal after a pause", func() bool { return tg.signalled() > before })
	}
	close(stop)
	t.Logf("%d signals", <-heard)
}

// What somebody else stopped stays stopped.
func TestStoppedTargetStaysStopped(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("stopped"))
	must(t, unix.Kill(tg.pid, unix.SIGSTOP))
	eventually(t, "stop", func() bool { return state(t, tg.pid) == 'T' })
	must(t, p.Arm(t.Context()))
	must(t, p.Disarm(t.Context()))
	eventually(t, "stop", func() bool { return state(t, tg.pid) == 'T' })
	must(t, unix.Kill(tg.pid, unix.SIGCONT))
	tg.after(t, time.Now())
}

func TestDeadlineAndContextResume(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	o := options("limit")
	o.Until = time.Now().Add(time.Second)
	p := open(t, pause.Selector{PID: tg.pid}, o)
	ctx, cancel := context.WithCancel(t.Context())
	must(t, p.Arm(ctx))
	cancel()
	tg.after(t, time.Now())
	eventually(t, "end", func() bool { return !last(t, p).To.IsZero() })
	if s := last(t, p); s.By != pause.ByOwner {
		t.Errorf("after its context's end: got %+v, want ended by the owner", s)
	}
	must(t, p.Arm(t.Context()))
	late := tg.after(t, o.Until)
	eventually(t, "end", func() bool { return !last(t, p).To.IsZero() })
	s := last(t, p)
	if s.By != pause.ByLimit || late > time.Second {
		t.Errorf("got %+v, a beat %v after the hard end, want ended by the limit", s, late)
	}
	tg.still(t, s)
	wantError(t, p.Arm(t.Context()), nil, "hard end")
}

// An owner that waits for the hard end too, and then tidies up, did not end the pause.
func TestOwnerAtTheDeadlineIsNotWhoEndedIt(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	for range 4 {
		o := options("same moment")
		o.Until = time.Now().Add(500 * time.Millisecond)
		p := open(t, pause.Selector{PID: tg.pid}, o)
		must(t, p.Arm(t.Context()))
		ctx, cancel := context.WithDeadline(t.Context(), o.Until)
		<-ctx.Done()
		cancel()
		must(t, p.Disarm(t.Context()))
		if s := last(t, p); s.By != pause.ByLimit {
			t.Fatalf("got %+v, want ended by the limit", s)
		}
		must(t, p.Close(t.Context()))
	}
}

// A target that dies while it is paused ends the pause, and is left to its parent.
func TestTargetKilledWhilePaused(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("killed"))
	must(t, p.Arm(t.Context()))
	must(t, tg.cmd.Process.Kill())
	eventually(t, "end", func() bool { return last(t, p).By == pause.ByEnd })
	wantError(t, p.Arm(t.Context()), pause.ErrEnded)
	if err := tg.cmd.Wait(); err == nil || tg.cmd.ProcessState == nil || tg.cmd.ProcessState.String() != "signal: killed" {
		t.Errorf("its parent waits: got %v, %v, want signal: killed", err, tg.cmd.ProcessState)
	}
}

// The thread that ends with a pause has no children, which would end with it.
func TestChildrenOfThisProcessSurvive(t *testing.T) {
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("children"))
	var children []*exec.Cmd
	for range 30 {
		c := exec.Command("sleep", "60")
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		must(t, c.Start())
		children = append(children, c)
		must(t, p.Arm(t.Context()))
		must(t, p.Disarm(t.Context()))
	}
	for _, c := range children {
		if s := state(t, c.Process.Pid); s != 'S' && s != 'R' && s != 'D' {
			t.Errorf("child %d: got state %c, want it alive", c.Process.Pid, s)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

func TestNoThreadIsLeaked(t *testing.T) {
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("leak"))
	count := func() int {
		entries, err := os.ReadDir("/proc/self/task")
		must(t, err)
		return len(entries)
	}
	must(t, p.Arm(t.Context()))
	must(t, p.Disarm(t.Context()))
	before := count()
	for range 50 {
		must(t, p.Arm(t.Context()))
		must(t, p.Disarm(t.Context()))
	}
	if after := count(); after > before+5 {
		t.Errorf("threads: got %d after 50 pauses, %d before", after, before)
	}
}
