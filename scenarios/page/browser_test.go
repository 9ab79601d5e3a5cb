package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/scenarios"
)

// tab is one of a real browser; without one the test is skipped, or fails under CI.
func tab(t *testing.T) context.Context {
	t.Helper()
	path, err := journeys.FindBrowser(exec.LookPath)
	if err != nil {
		proof.Lacks(t, err.Error())
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
	})
	return ctx
}

// first is the text of the page that is seen first, with its place.
const first = `(() => {
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode());) {
		const range = document.createRange();
		range.selectNodeContents(n);
		const b = range.getBoundingClientRect();
		if (n.data.trim() && b.width > 0) return n.data.trim() + (b.top < 120 && b.left >= 0 && b.right <= innerWidth && b.height > 20 ? "" : " (small or out of sight)");
	}
})()`

// narrow are the texts that a reader cannot read: too small, over one another, or cut off.
const narrow = `(() => {
	const bad = [];
	for (const svg of document.querySelectorAll("svg.lane")) {
		const texts = [...svg.querySelectorAll("text")].filter((t) => getComputedStyle(t).display !== "none")
			.map((t) => ({ t: t.textContent, b: t.getBoundingClientRect() }));
		for (const [i, a] of texts.entries()) {
			if (a.b.right > innerWidth || a.b.left < 0) bad.push(a.t + " is cut off");
			for (const c of texts.slice(i + 1))
				if (a.b.left < c.b.right && c.b.left < a.b.right && a.b.top < c.b.bottom - 2 && c.b.top < a.b.bottom - 2) bad.push(a.t + " over " + c.t);
		}
	}
	for (const e of document.querySelectorAll("main *")) if (parseFloat(getComputedStyle(e).fontSize) < 10.8) bad.push(e.tagName + " " + getComputedStyle(e).fontSize);
	return bad.join("; ");
})()`

// The page in a real browser: at every width and in both schemes the verdict is what is
// seen first, nothing is cut off or drawn over another, and nobody complains.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	ctx := tab(t)
	listen(ctx, t)
	dir := t.TempDir()
	for name, r := range map[string]*scenarios.Report{"pass": sample(t, "pass"), "fail": sample(t, "fail"), "inconclusive": unsure(t), "fail ": stormy(t)} {
		file := filepath.Join(dir, name+".html")
		if err := os.WriteFile(file, []byte(draw(t, r)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{1280, 760, 390} {
			for _, scheme := range []string{"light", "dark"} {
				look(ctx, t, file, width, scheme)
				where := fmt.Sprintf("%s at %d px, %s", name, width, scheme)
				if got := eval[string](ctx, t, first); got != r.Verdict.String() {
					t.Errorf("%s: the first text is %q, want the verdict", where, got)
				}
				if wide := eval[int64](ctx, t, "document.documentElement.scrollWidth"); wide > width {
					t.Errorf("%s: it is %d px wide", where, wide)
				}
				if bad := eval[string](ctx, t, narrow); bad != "" {
					t.Errorf("%s: %s", where, bad)
				}
				dark := eval[bool](ctx, t, `getComputedStyle(document.body).backgroundColor === "rgb(13, 16, 21)"`)
				if dark != (scheme == "dark") {
					t.Errorf("%s: dark is %v", where, dark)
				}
			}
		}
	}
}

// The dashboard serves the page with a policy that lets nothing run and nothing load.
func TestUnderPolicy(t *testing.T) {
	t.Parallel()
	ctx := tab(t)
	listen(ctx, t)
	text := draw(t, sample(t, "fail"))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'")
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(srv.Close)
	if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL)); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](ctx, t, `getComputedStyle(document.querySelector(".row")).display`); got != "grid" {
		t.Errorf("the style sheet is not applied: a row is %s", got)
	}
}

// listen fails the test for whatever the browser complains of.
func listen(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page threw: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			t.Errorf("the page wrote to the console: %s", e.Type)
		case *log.EventEntryAdded: //nolint:forbidigo // the browser's log
			what, _ := json.Marshal(e)
			t.Errorf("the browser complains: %s", what)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
}

func look(ctx context.Context, t *testing.T, file string, width int64, scheme string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](ctx context.Context, t *testing.T, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}
