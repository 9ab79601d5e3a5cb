package journeys

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/png"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

// Slowly, each action shows its element, the page stays as it is, and nobody blames the
// service for the time.
func TestSlow(t *testing.T) {
	t.Parallel()
	base := serve(t)
	p := own(t, PoolOptions{Author: Authoring{Slow: 500 * time.Millisecond}})
	r := walk(t, p, write(t, base, `
steps:
- step: only
  warning: 1ms
  critical: 2ms
  do:
  - open: ${base}/form.html
  - type: {into: {label: Your name}, text: Ada}
  - click: {css: "#place-order"}
  - see: Ada
`), 20*time.Second)
	wantResult(t, r, results.OK, "")
	if took := stepNamed(t, r, `type into label "Your name"`).Duration; took < 500*time.Millisecond {
		t.Errorf("the action took %v, want at least the time it waits", took)
	}
}

func TestOutline(t *testing.T) {
	t.Parallel()
	base := serve(t)
	p := own(t, PoolOptions{Author: Authoring{Slow: time.Millisecond}})
	page, err := p.page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer page.close()
	if _, err := chromedp.Navigate(base+"/form.html")(t.Context(), page.target); err != nil {
		t.Fatal(err)
	}
	orange := func() (n int) {
		t.Helper()
		text, err := chromedp.CaptureScreenshot()(t.Context(), page.target)
		if err != nil {
			t.Fatal(err)
		}
		picture, _, err := image.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for y := range picture.Bounds().Dy() {
			for x := range picture.Bounds().Dx() {
				if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 > 250 && g>>8 < 110 && b>>8 < 10 {
					n++
				}
			}
		}
		return n
	}
	before := orange()
	text := func() string {
		t.Helper()
		s, err := chromedp.Evaluate[string]("document.documentElement.outerHTML")(t.Context(), page.target)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	page1 := text()
	if err := page.outline(t.Context(), query{Selector: Selector{By: "css", Value: "#place-order"}}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if page2 := text(); page2 != page1 {
		t.Errorf("the page is now %s, want it as it was: %s", page2, page1)
	}
	if during := orange(); during < before+200 {
		t.Errorf("got %d orange pixels with the outline and %d without, want more by hundreds", during, before)
	}
}

// At a failure the page stays open, and DevTools find it.
func TestPause(t *testing.T) {
	t.Parallel()
	base := serve(t)
	var stops []Stop
	var listed string
	p := own(t, PoolOptions{Author: Authoring{Pause: func(ctx context.Context, s Stop) {
		stops = append(stops, s)
		_, ws, _ := strings.Cut(s.DevTools, "?ws=")
		host, path, _ := strings.Cut(ws, "/")
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/json/list", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		list, err := io.ReadAll(resp.Body)
		if listed = string(list); err != nil || !strings.HasPrefix(host, "127.0.0.1:") || !strings.Contains(listed, path) {
			t.Errorf("%s: got %v\n%s\nwant the page %s in it", s.DevTools, err, listed, path)
		}
	}}})
	wantResult(t, walk(t, p, hasty(t, base, "/form.html?token=x", "click: \"#none\""), 20*time.Second),
		results.Critical, results.CauseTimeout, "no such element")
	if len(stops) != 1 || stops[0].Step != "only" || stops[0].Err == nil || stops[0].Page != base+"/form.html?..." {
		t.Errorf("got %+v, want one stop at the form, without its query", stops)
	}
	wantResult(t, walk(t, p, one(t, base, "/form.html"), 20*time.Second), results.OK, "")
	if len(stops) != 1 {
		t.Errorf("got %d stops, want none where nothing failed", len(stops))
	}
}

// A pause ends with the run.
func TestPauseEnds(t *testing.T) {
	t.Parallel()
	base := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := own(t, PoolOptions{Author: Authoring{Pause: func(ctx context.Context, _ Stop) {
		cancel() // as Ctrl-C does
		<-ctx.Done()
	}}})
	rec := results.NewRecorder()
	if err := NewCheck(hasty(t, base, "/form.html", "click: \"#none\""), p).Run(ctx, rec); err == nil {
		t.Error("got no error")
	}
}

func TestFindWindowBrowser(t *testing.T) {
	t.Parallel()
	got, err := FindWindowBrowser(func(name string) (string, error) {
		if name == "google-chrome" {
			return "/opt/" + name, nil
		}
		return "", exec.ErrNotFound
	})
	if got != "/opt/google-chrome" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, err = FindWindowBrowser(func(string) (string, error) { return "", exec.ErrNotFound })
	if !errors.Is(err, results.ErrUnknown) || !strings.Contains(err.Error(), "apt-get install chromium") {
		t.Errorf("got %v, want an unknown that says what to install", err)
	}
}
