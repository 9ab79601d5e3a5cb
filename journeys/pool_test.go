package journeys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"

	"github.com/foreshock/foreshock/results"
)

func TestNoBrowser(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{Browser: "/no/such/browser"})
	r := walk(t, p, one(t, "http://127.0.0.1:1", "/"), 5*time.Second)
	wantResult(t, r, results.Unknown, results.CauseTool, "browser /no/such/browser: ", "apt-get install chromium-headless-shell")
	if s := stepNamed(t, r, "only"); s.Error != "not reached" {
		t.Errorf("got %+v, want the step as not reached", s)
	}
	_, err := FindBrowser(func(string) (string, error) { return "", exec.ErrNotFound })
	if s, c := results.Judge(err); s != results.Unknown || c != results.CauseTool {
		t.Errorf("got %v (%s), want unknown (tool)", s, c)
	}
}

func TestBrowserThatDoesNotStart(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no usable sandbox >&2\nexit 7\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	j := one(t, "http://127.0.0.1:1", "/")
	wantResult(t, walk(t, own(t, PoolOptions{Browser: broken}), j, 5*time.Second),
		results.Unknown, results.CauseBrowser, "did not start", "no usable sandbox")
	wantResult(t, walk(t, own(t, PoolOptions{Dir: "/no/such/dir"}), j, 5*time.Second),
		results.Unknown, results.CauseBrowser, "browser profile: ", "/no/such/dir")
	mute := filepath.Join(t.TempDir(), "mute")
	if err := os.WriteFile(mute, []byte("#!/bin/sh\nsleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantResult(t, walk(t, own(t, PoolOptions{Browser: mute}), j, 500*time.Millisecond),
		results.Unknown, results.CauseBrowser, "the browser did not start in time")
}

func TestBrowserKilledInMidRun(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{})
	base := serve(t)
	good := one(t, base, "/", "see: Mugs")
	wantResult(t, walk(t, p, good, ample), results.OK, "")
	b := p.current
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		syscall.Kill(b.pid, syscall.SIGKILL) // it is waiting for this answer now
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	wantResult(t, walk(t, p, one(t, s.URL, "/"), ample), results.Unknown, results.CauseBrowser, "only: open ")
	wantResult(t, walk(t, p, good, ample), results.OK, "")
	if p.current == b {
		t.Error("the dead browser is still in use")
	}
	syscall.Kill(p.current.pid, syscall.SIGKILL) // while idle
	wantResult(t, walk(t, p, good, ample), results.OK, "")
}

func TestPageCrash(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{})
	tab, err := p.page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tab.close()
	begin := time.Now()
	tab.target.Call(tab.ctx, page.Navigate.Method, page.NavigateParams{URL: "chrome://crash"}, nil)
	err = tab.do(t.Context(), nil, action{Action: waitFor{Visible: Selector{By: "css", Value: "#x"}}, kind: "wait_for", name: "wait for #x"}, time.Minute)
	if s, c := results.Judge(err); s != results.Unknown || c != results.CauseBrowser || !errors.Is(err, errPageCrashed) {
		t.Errorf("got %v (%s) %v, want unknown (browser) and the crash", s, c, err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v to see the crash", took)
	}
}

func TestNoFreePage(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{Max: 1})
	tab, err := p.page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	j := one(t, serve(t), "/")
	wantResult(t, walk(t, p, j, 200*time.Millisecond), results.Unknown, results.CauseResources, "no browser page was free")
	tab.close()
	wantResult(t, walk(t, p, j, ample), results.OK, "")
}

func TestClosedPool(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{})
	for range 2 {
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantResult(t, walk(t, p, one(t, "http://127.0.0.1:1", "/"), time.Second), results.Unknown, results.CauseStopped, "closed")
}

func TestSweepLeavesOwnedProfiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	owned, err := newProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	orphan, other := filepath.Join(dir, profilePrefix+"1"), filepath.Join(dir, "keep")
	for _, d := range []string{filepath.Join(orphan, "Default"), other} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := sweepProfiles(t.Context(), dir); n != 1 || err != nil {
		t.Errorf("got %d, %v, want one profile swept", n, err)
	}
	for d, want := range map[string]bool{owned.dir: true, other: true, orphan: false} {
		if _, err := os.Stat(d); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", d, err == nil, want)
		}
	}
	if err := owned.remove(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// child is the process that TestKilledProcess kills: it holds a page open for ever.
func child(dir string) {
	p := NewPool(PoolOptions{Dir: dir, Browser: *childBrowser}, logger(os.Stderr))
	if _, err := p.page(context.Background()); err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println("ready", p.current.pid)
	select {}
}

func TestKilledProcess(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	dir := t.TempDir()
	cmd, out := startChild(t, dir, "")
	var pid string
	if _, err := fmt.Fscanf(out, "ready %s\n", &pid); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 1 {
		t.Fatalf("got profiles %v, want one", left)
	}
	family := descendants(pid)
	if len(family) < 3 {
		t.Fatalf("got processes %v of the browser, want it with its children", family)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wantGone(t, family)
	next := NewPool(PoolOptions{Dir: dir}, logger(t.Output()))
	if err := next.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("the next pool left %v", left)
	}
}

// A browser that hangs notices neither a closed pipe nor a hang-up: the kernel must end it.
func TestKilledProcessWithDeafBrowser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deaf, started := filepath.Join(dir, "deaf"), filepath.Join(dir, "pid")
	text := "#!/bin/sh\ntrap '' HUP\necho $$ >" + started + ".new\nmv " + started + ".new " + started + "\nexec sleep 60\n"
	if err := os.WriteFile(deaf, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd, _ := startChild(t, dir, deaf)
	var pid []byte
	within(t, func() bool {
		var err error
		pid, err = os.ReadFile(started)
		return err == nil
	})
	family := descendants(strings.TrimSpace(string(pid)))
	if len(family) != 1 {
		t.Fatalf("got processes %v, want one", family)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wantGone(t, family)
}

func startChild(t *testing.T, dir, browser string) (*exec.Cmd, io.Reader) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-journeys.child="+dir, "-journeys.browser="+browser)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, out
}

func within(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come within 10s")
		}
	}
}

func wantGone(t *testing.T, family map[string]string) {
	t.Helper()
	begin := time.Now()
	for pid, begun := range family {
		within(t, func() bool {
			p, alive := lookAt(pid)
			return !alive || p.begun != begun
		})
	}
	t.Logf("%d processes gone after %v", len(family), time.Since(begin))
}

type process struct{ parent, begun string }

// lookAt reads /proc/PID/stat; a zombie is no process any more.
func lookAt(pid string) (process, bool) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return process{}, false
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may hold spaces
	f := strings.Fields(rest)
	return process{parent: f[1], begun: f[19]}, f[0] != "Z"
}

// descendants lists pid and the processes below it, with the time they began.
func descendants(pid string) map[string]string {
	family := map[string]string{}
	if p, ok := lookAt(pid); ok {
		family[pid] = p.begun
	}
	for grown := true; grown; {
		grown = false
		all, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range all {
			child := filepath.Base(dir)
			p, ok := lookAt(child)
			if _, known := family[child]; !ok || known || family[p.parent] == "" {
				continue
			}
			family[child], grown = p.begun, true
		}
	}
	return family
}

func TestBrowserVersion(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	path, err := FindBrowser(exec.LookPath)
	if err != nil {
		t.Fatal(err)
	}
	v, err := BrowserVersion(t.Context(), path)
	if err != nil || !strings.ContainsAny(v, "0123456789") {
		t.Errorf("got %q, %v, want a version", v, err)
	}
}

func BenchmarkJourney(b *testing.B) {
	p := warm(b)
	j := write(b, serve(b), order)
	for _, e := range []Evidence{EvidenceNever, EvidenceOnFailure, EvidenceAlways} {
		b.Run(string(e), func(b *testing.B) {
			walked := func() results.Result {
				c := NewCheck(j, p)
				c.evidence = e
				rec := results.NewRecorder()
				return rec.Finish(c.Run(b.Context(), rec))
			}
			walked()
			var bytes int
			for b.Loop() {
				r := walked()
				wantResult(b, r, results.OK, "")
				bytes = 0
				for _, s := range r.Steps {
					for _, a := range s.Artifacts {
						bytes += len(a.Data)
					}
				}
			}
			b.ReportMetric(float64(bytes), "artifact-bytes")
		})
	}
}
