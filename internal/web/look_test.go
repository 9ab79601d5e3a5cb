package web_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/web"
)

var shots = flag.String("shots", "", "directory to write pictures of the dashboard into")

// TestLook writes pictures for a person to judge; it only runs when asked to.
func TestLook(t *testing.T) {
	if *shots == "" {
		t.Skip("go test ./internal/web -run TestLook -shots=DIR")
	}
	r := newRig(t, nil)
	empty := newRig(t, func(o *web.Options) { o.Checks = nil })
	seed(t, r.store, time.Now())
	failed := newRig(t, nil)
	failed.walk(t)
	p := newPage(t)
	for _, shot := range []struct {
		name, url, scheme string
		w, h              int64
		script            string
	}{
		{"light-1400", r.srv.URL, "light", 1400, 1350, ""},
		{"dark-1400", r.srv.URL, "dark", 1400, 1350, ""},
		{"light-1000", r.srv.URL, "light", 1000, 1350, ""},
		{"light-1600", r.srv.URL, "light", 1600, 1350, ""},
		{"detail", r.srv.URL + "/#check=buy-a-mug", "light", 1400, 1000, ""},
		{"detail-dark", r.srv.URL + "/#check=payments", "dark", 1000, 1000, ""},
		{"evidence", failed.srv.URL + "/#check=buy-a-mug", "light", 1400, 2100, ""},
		{"evidence-dark", failed.srv.URL + "/#check=buy-a-mug", "dark", 1400, 2100, ""},
		{"evidence-phone", failed.srv.URL + "/#check=buy-a-mug", "light", 390, 2100, ""},
		{"empty", empty.srv.URL, "light", 1400, 700, ""},
		{"five", r.srv.URL, "light", 1400, 700, `document.querySelector("input[value='5m']").click()`},
		{"day", r.srv.URL, "light", 1400, 900, `document.querySelector("input[value='24h']").click()`},
		{"tip", r.srv.URL, "dark", 1400, 900, `{const c = document.querySelector("[data-check=payments] canvas"), b = c.getBoundingClientRect();
			c.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: b.left + b.width * 0.735, clientY: b.top + 30}))}`},
	} {
		p.dress(t, shot.w, shot.h, shot.scheme)
		p.open(t, shot.url)
		if shot.script != "" {
			eval[any](t, p, shot.script)
		}
		time.Sleep(700 * time.Millisecond)
		png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*shots, shot.name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
