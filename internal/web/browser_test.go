package web_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
)

// page is one tab of a real browser, which ends with the test.
type page struct {
	ctx context.Context //nolint:containedctx // to chromedp the context is the tab
}

// newPage opens a tab; without a browser it skips, or fails under CI.
func newPage(t *testing.T) page {
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
	return page{ctx}
}

func (p page) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// navigate is an action that opens any address.
func navigate(url string) chromedp.Action[chromedp.Void] { return chromedp.Navigate(url) }

// open shows url, and waits until the page is drawn and live.
func (p page) open(t *testing.T, url string) {
	t.Helper()
	p.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(url))
	p.until(t, `document.querySelector("#live")?.dataset.state === "live"`)
}

// eval gives the value of a JavaScript expression.
func eval[T any](t *testing.T, p page, expression string) T {
	t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a JavaScript expression to become true.
func (p page) until(t *testing.T, expression string) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !eval[bool](t, p, expression) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 15 s in vain for %s; the page says:\n%s", expression, eval[string](t, p, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// dress sets the size and the colour scheme.
func (p page) dress(t *testing.T, w, h int64, scheme string) {
	t.Helper()
	p.do(t, chromedp.EmulateViewport(w, h))
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		t.Fatal(err)
	}
}
