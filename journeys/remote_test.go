package journeys

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

// remoteBrowser starts one that listens at a port, 0 for any free one.
func remoteBrowser(t *testing.T, port string) (cmd *exec.Cmd, at string) {
	t.Helper()
	needBrowser(t)
	path, err := FindBrowser(exec.LookPath)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd = exec.CommandContext(t.Context(), path, "--no-sandbox", "--headless", "--disable-gpu", "--remote-debugging-port="+port, "--user-data-dir="+dir)
	tie(false)(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(cmd) })
	within(t, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		at, _, _ = strings.Cut(string(text), "\n")
		return err == nil && at != ""
	})
	return cmd, at
}

func end(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	cmd.Wait()
}

func TestRemoteBrowser(t *testing.T) {
	t.Parallel()
	cmd, port := remoteBrowser(t, "0")
	p := own(t, PoolOptions{Remote: "http://127.0.0.1:" + port})
	base := serve(t)
	good := one(t, base, "/cookie", `see: "first visit: true"`)
	for range 3 { // nothing of a run is seen by the next one
		wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
	}
	// What is left is the page of the pool itself and one that is ready for the next run.
	within(t, func() bool {
		res, err := cdp.Call(p.now().ctx, chromedp.FromContext(p.now().ctx).Browser, target.GetBrowserContexts, cdp.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		return len(res.BrowserContextIDs) <= 2
	})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end(cmd) // a run is waiting for this answer now
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	wantResult(t, walk(t, p, one(t, s.URL, "/"), 60*time.Second), results.Unknown, results.CauseBrowser, "browser")
	wantResult(t, walk(t, p, good, 60*time.Second), results.Unknown, results.CauseBrowser,
		fmt.Sprintf("remote browser http://127.0.0.1:%s: ", port), "--remote-debugging-port")
	remoteBrowser(t, port)
	wantResult(t, walk(t, p, good, 60*time.Second), results.OK, "")
}

// What we leave of a remote browser when we are killed is nothing.
func TestRemoteBrowserAfterKill(t *testing.T) {
	t.Parallel()
	_, port := remoteBrowser(t, "0")
	pages := func() int {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://127.0.0.1:" + port + "/json/list")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var text [1 << 16]byte
		n, _ := resp.Body.Read(text[:])
		return strings.Count(string(text[:n]), `"type": "page"`)
	}
	before := pages()
	child, out := startChild(t, t.TempDir(), "http://127.0.0.1:"+port)
	var pid string
	if _, err := fmt.Fscanf(out, "ready %s\n", &pid); err != nil {
		t.Fatal(err)
	}
	if n := pages(); n <= before {
		t.Fatalf("got %d pages, want more than the %d before", n, before)
	}
	child.Process.Kill()
	within(t, func() bool { return pages() == before })
}
