package pause_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/pause"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
)

// The promise of the package: no process alive, no clean-up run, and the target runs.
func TestPauseEndsWithItsKilledOwner(t *testing.T) {
	tg := start(t, "plain")
	var worst time.Duration
	for range 20 {
		ow := startOwner(t, pause.Selector{PID: tg.pid}, options("sigkill"), nil)
		if ow.said != "armed" {
			t.Fatal(ow.said)
		}
		standing(t, tg.pid)
		killed := time.Now()
		must(t, ow.cmd.Process.Kill())
		worst = max(worst, tg.after(t, killed))
		_ = ow.cmd.Wait()
	}
	t.Logf("first beat after SIGKILL of the owner: worst of 20 %v", worst)
	if worst > 200*time.Millisecond {
		t.Errorf("first beat after SIGKILL of the owner: worst of 20 %v, want some milliseconds", worst)
	}
	if found := mine(t, "sigkill"); len(found) != 0 {
		t.Errorf("list: got %+v, want nothing of dead owners", found)
	}
}

func mine(t *testing.T, run string) []pause.Active {
	t.Helper()
	found, err := pause.List(t.Context())
	must(t, err)
	return slices.DeleteFunc(found, func(a pause.Active) bool { return a.Run != run })
}

func TestListAndHealFromAnotherProcess(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	o := options("other")
	o.Name, o.Location = "the-db", "here"
	ow := startOwner(t, pause.Selector{PID: tg.pid}, o, nil)
	found := mine(t, "other")
	if len(found) != 1 {
		t.Fatalf("list: got %+v, want one", found)
	}
	a := found[0]
	if a.Owner != ow.cmd.Process.Pid || !a.Armed || a.Name != "the-db" || a.Location != "here" || !a.Until.Equal(o.Until) ||
		len(a.Processes) != 1 || a.Processes[0].PID != tg.pid || a.Processes[0].Threads != standing(t, tg.pid) {
		t.Errorf("list: got %+v", a)
	}
	for n := range 2 {
		healed, err := pause.Heal(t.Context(), "the-db")
		must(t, err)
		if len(healed) != 1-n {
			t.Errorf("heal %d: got %+v", n, healed)
		}
	}
	tg.after(t, time.Now())
	if found := mine(t, "other"); len(found) != 0 {
		t.Errorf("list after heal: got %+v, want none", found)
	}
	e := ow.evidence(t)
	if len(e.Spans) != 1 || e.Spans[0].By != pause.ByOther || len(e.Escaped) != 0 {
		t.Errorf("got %+v, want one span, ended by another", e)
	}
	tg.still(t, e.Spans[0])
}

func TestHealedPauseIsNotArmedAgain(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("once"))
	if found := mine(t, "once"); len(found) != 1 || found[0].Armed {
		t.Errorf("list: got %+v, want one that is not armed", found)
	}
	if _, err := pause.Heal(t.Context(), "once"); err != nil {
		t.Error(err)
	}
	wantError(t, p.Arm(t.Context()), pause.ErrHealed)
	tg.after(t, time.Now())
}

// An owner that is stopped cannot answer. Heal says so, and what ends its pause.
func TestHealOfSilentOwner(t *testing.T) {
	tg := start(t, "plain")
	ow := startOwner(t, pause.Selector{PID: tg.pid}, options("silent"), nil)
	must(t, ow.cmd.Process.Signal(syscall.SIGSTOP))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	found, err := pause.List(ctx)
	must(t, err)
	at := slices.IndexFunc(found, func(a pause.Active) bool { return a.Owner == ow.cmd.Process.Pid })
	if at < 0 || found[at].Silent == "" {
		t.Fatalf("list: got %+v, want one that is silent", found)
	}
	_, err = pause.Heal(ctx, found[at].Door)
	wantError(t, err, nil, "does not answer", "kill -9")
	killed := time.Now()
	must(t, ow.cmd.Process.Kill()) // works on a stopped process, and so does the kernel's release
	tg.after(t, killed)
}

// The hard end holds although the owner stands still itself.
func TestHardEndWakesStoppedOwner(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	o := options("wakes")
	o.Until = time.Now().Add(time.Second)
	ow := startOwner(t, pause.Selector{PID: tg.pid}, o, nil)
	must(t, ow.cmd.Process.Signal(syscall.SIGSTOP))
	eventually(t, "stop", func() bool { return state(t, ow.cmd.Process.Pid) == 'T' })
	late := tg.after(t, o.Until)
	if e := ow.evidence(t); len(e.Spans) != 1 || e.Spans[0].By != pause.ByLimit || late > time.Second {
		t.Errorf("got %+v, a beat %v after the hard end, want one span ended by the limit", e, late)
	}
}

func TestPauseTwiceIsRefused(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	second := open(t, pause.Selector{PID: tg.pid}, options("second"))
	ow := startOwner(t, pause.Selector{PID: tg.pid}, options("first"), nil)
	if ow.said != "armed" {
		t.Fatal(ow.said)
	}
	wantError(t, second.Arm(t.Context()), pause.ErrTraced, "process "+itoa(ow.cmd.Process.Pid))
	_, err := pause.Open(t.Context(), pause.Selector{PID: tg.pid}, options("third"))
	wantError(t, err, pause.ErrTraced)
	standing(t, tg.pid) // the first still holds it
	ow.evidence(t)
	must(t, second.Arm(t.Context()))
}

func TestAnotherUsersProcess(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		_, err := pause.Open(t.Context(), pause.Selector{PID: os.Getppid()}, options("permission"))
		wantError(t, err, pause.ErrRefused)
		proof.Lacks(t, "needs two users: run as root")
	}
	tg := start(t, "plain")
	const nobody = 65534
	ow := startOwner(t, pause.Selector{PID: tg.pid}, options("permission"), &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
	for _, w := range []string{"uid 0", "uid 65534", "CAP_SYS_PTRACE"} {
		wantError(t, &said{ow.said}, nil, w)
	}
	tg.after(t, time.Now())

	// And one of root's cannot be ended by anybody.
	own := open(t, pause.Selector{PID: tg.pid}, options("roots"))
	must(t, own.Arm(t.Context()))
	// A child as nobody asks at the door.
	ow = startOwner(t, pause.Selector{Container: "heal:roots"}, options("x"), &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
	wantError(t, &said{ow.said}, nil, "uid 65534 may not end a pause of uid 0")
	standing(t, tg.pid)
	must(t, own.Disarm(t.Context()))
}

type said struct{ text string }

func (s *said) Error() string { return s.text }

func TestPermissionIsUnknownByItsStatus(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	p := open(t, pause.Selector{PID: tg.pid}, options("status"))
	must(t, p.Arm(t.Context()))
	_, err := pause.Open(t.Context(), pause.Selector{PID: tg.pid}, options("status2"))
	wantError(t, err, pause.ErrTraced, "another pause of this process")
	if status, _ := results.Judge(err); status == results.OK {
		t.Errorf("got %v", status)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	kthread := 2
	for name, c := range map[string]struct {
		s     pause.Selector
		o     pause.Options
		want  error
		words []string
	}{
		"init":      {pause.Selector{PID: 1}, options("r"), pause.ErrRefused, []string{"process 1 "}},
		"ourselves": {pause.Selector{PID: os.Getpid()}, options("r"), pause.ErrRefused, []string{"is Foreshock itself"}},
		"ancestor":  {pause.Selector{PID: os.Getppid()}, options("r"), pause.ErrRefused, []string{"started Foreshock"}},
		"tree":      {pause.Selector{PID: os.Getppid(), Tree: true}, options("r"), pause.ErrRefused, nil},
		"kernel":    {pause.Selector{PID: kthread}, options("r"), pause.ErrRefused, []string{"kernel"}},
		"child":     {pause.Selector{PID: tg.pid}, pause.Options{Run: "r", Until: time.Now().Add(time.Hour)}, pause.ErrRefused, []string{"started by Foreshock"}},
		"none":      {pause.Selector{PID: 1 << 22}, options("r"), pause.ErrEnded, []string{"no process"}},
		"negative":  {pause.Selector{PID: -1}, options("r"), nil, []string{"got pid -1"}},
		"nothing":   {pause.Selector{}, options("r"), nil, []string{"neither"}},
		"both":      {pause.Selector{PID: 5, Container: "abcdef"}, options("r"), nil, []string{"one of them"}},
		"short":     {pause.Selector{Container: "abc"}, options("r"), nil, []string{"hexadecimal"}},
		"container": {pause.Selector{Container: "0123456789abcdef0"}, options("r"), pause.ErrEnded, []string{"cgroup"}},
		"no run":    {pause.Selector{PID: tg.pid}, pause.Options{Until: time.Now().Add(time.Hour)}, nil, []string{"run"}},
		"past":      {pause.Selector{PID: tg.pid}, pause.Options{Run: "r", Until: time.Now()}, nil, []string{"ahead"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "kernel" {
				if text, _ := os.ReadFile("/proc/2/comm"); string(text) != "kthreadd\n" {
					t.Skip("no threads of the kernel are seen in a container")
				}
			}
			_, err := pause.Open(t.Context(), c.s, c.o)
			wantError(t, err, c.want, c.words...)
		})
	}
	entries, err := os.ReadDir("/proc/" + itoa(tg.pid) + "/task") // the second is one of those that stay
	must(t, err)
	_, err = pause.Open(t.Context(), pause.Selector{PID: atoi(entries[1].Name())}, options("r"))
	wantError(t, err, nil, "thread of process "+itoa(tg.pid))
}

func TestKill(t *testing.T) {
	t.Parallel()
	tg := start(t, "plain")
	_, err := pause.Kill(t.Context(), pause.Selector{PID: tg.pid}, unix.SIGKILL, false)
	wantError(t, err, pause.ErrRefused)
	_, err = pause.Kill(t.Context(), pause.Selector{PID: tg.pid}, 65, true)
	wantError(t, err, nil, "signal 65")
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	killed, err := pause.Kill(ctx, pause.Selector{PID: tg.pid}, unix.SIGUSR1, true) // it does not end of that
	wantError(t, err, context.DeadlineExceeded, "lives on")
	if len(killed) != 1 || !killed[0].Ended.IsZero() {
		t.Errorf("got %+v, want one that has not ended", killed)
	}
	tg.after(t, time.Now())
	killed, err = pause.Kill(t.Context(), pause.Selector{PID: tg.pid}, unix.SIGKILL, true)
	must(t, err)
	if len(killed) != 1 || killed[0].PID != tg.pid || killed[0].Ended.Before(killed[0].Sent) {
		t.Errorf("got %+v, want the target, ended", killed)
	}
	t.Logf("ended %v after SIGKILL", killed[0].Ended.Sub(killed[0].Sent))
	eventually(t, "end", func() bool {
		tg.mu.Lock()
		defer tg.mu.Unlock()
		return tg.ended
	})
	_, err = pause.Kill(t.Context(), pause.Selector{PID: tg.pid}, unix.SIGKILL, true) // a zombie
	wantError(t, err, pause.ErrEnded)
}

// group lists the processes of a group that are alive.
func group(t *testing.T, pgid int) (pids []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if f[0] != "Z" && f[0] != "X" && f[2] == itoa(pgid) {
			pids = append(pids, name)
		}
	}
	return pids
}

// Whom the target forks in the very moment ends with it.
func TestKillOfSpawningTree(t *testing.T) {
	t.Parallel()
	for range 3 {
		tg := start(t, "spawns")
		eventually(t, "child", func() bool { return len(descendants(t, tg.pid)) > 3 })
		killed, err := pause.Kill(t.Context(), pause.Selector{PID: tg.pid, Tree: true}, unix.SIGKILL, true)
		must(t, err)
		_ = tg.cmd.Wait()
		if left := group(t, tg.pid); len(left) != 0 {
			t.Errorf("got %d alive after the kill of %d", len(left), len(killed))
		}
		t.Logf("%d processes", len(killed))
	}
}

func TestKillOfPausedTree(t *testing.T) {
	t.Parallel()
	tg := start(t, "forks")
	s := pause.Selector{PID: tg.pid, Tree: true}
	p := open(t, s, options("killtree"))
	must(t, p.Arm(t.Context()))
	killed, err := pause.Kill(t.Context(), s, unix.SIGKILL, true)
	must(t, err)
	text, _ := json.Marshal(killed)
	t.Logf("%s", text)
	for _, k := range killed {
		if k.Ended.IsZero() {
			t.Errorf("%+v has not ended", k)
		}
	}
	eventually(t, "end", func() bool { return last(t, p).By == pause.ByEnd })
}
