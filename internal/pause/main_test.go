package pause_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/pause"
)

// The test binary plays every part itself: the target, the owner of a pause, and the
// inside of a namespace where numbers of processes can be given again.
var (
	beTarget  = flag.String("pause.target", "", "be a target: plain, forks, spawns, or a number of threads")
	beOwner   = flag.String("pause.owner", "", "be the owner of a pause: a JSON ownerOrder")
	beRecycle = flag.Bool("pause.recycle", false, "be pid 1 of a namespace, and give a pid twice")
)

func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case *beTarget != "":
		os.Exit(playTarget(*beTarget)) //nolint:forbidigo // the whole program of a child
	case *beOwner != "":
		os.Exit(playOwner(*beOwner)) //nolint:forbidigo // as above
	case *beRecycle:
		os.Exit(playRecycle()) //nolint:forbidigo // as above
	}
	_ = flag.Set("test.parallel", "8") // they wait more than they work
	goleak.VerifyTestMain(m)
}

// playTarget serves echoes, beats on its standard output, counts SIGUSR1, keeps threads
// inside calls of the kernel, and makes threads (and processes, if it forks) all the time.
func playTarget(mode string) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	threads, _ := strconv.Atoi(mode)
	for range max(threads, 4) {
		go func() {
			runtime.LockOSThread()
			var p [2]int
			_ = unix.Pipe2(p[:], unix.O_CLOEXEC)
			_, _ = unix.Read(p[0], make([]byte, 1)) // for ever
		}()
	}
	go func() {
		for n := 0; ; n++ { // a thread that ends, and so another that begins
			done := make(chan struct{})
			go func() {
				runtime.LockOSThread()
				close(done)
			}()
			<-done
			switch mode {
			case "forks":
				_ = exec.Command("/bin/sh", "-c", "sh -c true & wait").Run()
			case "spawns":
				if n < 100 { // more would be a burden for others
					_ = exec.Command("sleep", "60").Start()
				}
			}
			time.Sleep(time.Millisecond)
		}
	}()
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, unix.SIGUSR1)
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "at", l.Addr())
	tick := time.NewTicker(time.Millisecond)
	for n := 0; ; {
		select {
		case <-signals:
			fmt.Fprintln(out, "signal")
		case <-tick.C:
			fmt.Fprintln(out, "beat", n, time.Now().UnixNano())
			n++
		}
		if out.Flush() != nil {
			return 0 // the test has ended
		}
	}
}

// A target is a child that beats.
type target struct {
	pid  int
	addr string
	cmd  *exec.Cmd

	mu      sync.Mutex
	beats   []time.Time // when each was beaten, by the target's own clock
	broken  string      // a line that is missing or spoilt
	signals int
	ended   bool
}

func start(tb testing.TB, mode string) *target {
	tb.Helper()
	c := exec.Command("/proc/self/exe", "-pause.target="+mode)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that nothing of it is left behind
	out, err := c.StdoutPipe()
	must(tb, err)
	must(tb, c.Start())
	tg := &target{pid: c.Process.Pid, cmd: c}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "at ") {
		tb.Fatalf("target: got %q", lines.Text())
	}
	tg.addr = lines.Text()[3:]
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines.Scan() {
			tg.hear(lines.Text())
		}
		tg.mu.Lock()
		defer tg.mu.Unlock()
		tg.ended = true
	}()
	tb.Cleanup(func() {
		_ = unix.Kill(-c.Process.Pid, unix.SIGKILL)
		<-read
		_ = c.Wait()
		if tg.broken != "" {
			tb.Errorf("a beat was lost: got %q", tg.broken)
		}
	})
	tg.after(tb, time.Now())
	return tg
}

func (tg *target) hear(line string) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	f := strings.Fields(line)
	if line == "signal" {
		tg.signals++
		return
	}
	if len(f) != 3 || f[1] != strconv.Itoa(len(tg.beats)) {
		tg.broken = line
		return
	}
	ns, _ := strconv.ParseInt(f[2], 10, 64)
	tg.beats = append(tg.beats, time.Unix(0, ns))
}

// signalled counts the signals that it got.
func (tg *target) signalled() int {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	return tg.signals
}

// first returns the first beat after a time.
func (tg *target) first(from time.Time) (at time.Time, ok bool) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	for n := len(tg.beats) - 1; n >= 0 && tg.beats[n].After(from); n-- {
		at, ok = tg.beats[n], true
	}
	return at, ok
}

// after waits for a beat after a time, and returns how long after it came.
func (tg *target) after(tb testing.TB, from time.Time) time.Duration {
	tb.Helper()
	var at time.Time
	eventually(tb, "a beat", func() (ok bool) {
		at, ok = tg.first(from)
		return ok
	})
	return at.Sub(from)
}

// still fails the test if the target beat during a time in which it was to stand.
func (tg *target) still(t *testing.T, s pause.Span) {
	t.Helper()
	tg.after(t, s.To) // all that came before is heard
	if at, ok := tg.first(s.Full); ok && at.Before(s.To) {
		t.Errorf("beat at %v, %v after the pause was complete", at, at.Sub(s.Full))
	}
}

type ownerOrder struct {
	Selector pause.Selector
	Options  pause.Options
}

// playOwner holds an armed pause until its standard input ends, or heals another's.
func playOwner(order string) int {
	ctx := context.Background()
	err := func() error {
		var o ownerOrder
		if err := json.Unmarshal([]byte(order), &o); err != nil {
			return err
		}
		if run, ok := strings.CutPrefix(o.Selector.Container, "heal:"); ok {
			_, err := pause.Heal(ctx, run)
			return err
		}
		p, err := pause.Open(ctx, o.Selector, o.Options)
		if err != nil {
			return err
		}
		if err := p.Arm(ctx); err != nil {
			return err
		}
		fmt.Println("armed")
		_, _ = io.Copy(io.Discard, os.Stdin)
		if err := p.Close(ctx); err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(p.Evidence())
	}()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// An owner is another process that holds a pause.
type owner struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
	said  string // its first line
}

func startOwner(t *testing.T, s pause.Selector, o pause.Options, attr *syscall.SysProcAttr) *owner {
	t.Helper()
	order, err := json.Marshal(ownerOrder{s, o})
	must(t, err)
	c := exec.Command("/proc/self/exe", "-pause.owner="+string(order))
	c.SysProcAttr, c.Stderr = attr, os.Stderr
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	ow := &owner{cmd: c, stdin: in, lines: bufio.NewScanner(out)}
	ow.lines.Scan()
	ow.said = ow.lines.Text()
	return ow
}

// evidence asks the owner to end, and reads what it saw.
func (ow *owner) evidence(t *testing.T) (e pause.Evidence) {
	t.Helper()
	must(t, ow.stdin.Close())
	if !ow.lines.Scan() {
		t.Fatal("owner: got no evidence")
	}
	if err := json.Unmarshal(ow.lines.Bytes(), &e); err != nil {
		t.Fatalf("owner: got %q, want its evidence", ow.lines.Text())
	}
	return e
}

func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	limit := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(limit) {
			tb.Fatalf("got no %s in 10s", what)
		}
		<-tick.C
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error, words ...string) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error %q, want it to say %q", err, w)
		}
	}
}
