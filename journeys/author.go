package journeys

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

// Authoring is how somebody who writes a journey looks on while it runs; the zero value
// is how nobody does.
type Authoring struct {
	// Screen is the environment of the screen on which the browser shows its window, such
	// as DISPLAY=:0; empty is a browser without a window.
	Screen []string
	// Slow is how long each action waits, with its element outlined. Limits of steps are
	// not judged then.
	Slow time.Duration
	// Pause is called when an action has failed, with its page still open. It returns when
	// the page may go, at the latest when ctx ends.
	Pause func(ctx context.Context, s Stop)
}

// A Stop is where a journey failed, for whoever wants to see for themselves.
type Stop struct {
	Step     string
	Err      error
	Page     string // address of the page, without its query
	DevTools string // address on the loopback at which DevTools attach to the page; empty is none
}

// FindWindowBrowser is [FindBrowser] of one that can show a window.
func FindWindowBrowser(look func(file string) (string, error)) (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := look(name); err == nil {
			return path, nil
		}
	}
	return "", results.Blind(results.CauseTool, errors.New(
		"no browser with a window found (the headless shell has none), want Chromium or Chrome: apt-get install chromium"))
}

// find returns the browser that the options ask for.
func (o PoolOptions) find() (string, error) {
	switch {
	case o.Browser != "":
		if _, err := exec.LookPath(o.Browser); err != nil {
			return "", results.Blind(results.CauseTool, fmt.Errorf(
				"browser %s: %w; install one, such as apt-get install chromium-headless-shell, or name another", o.Browser, err))
		}
		return o.Browser, nil
	case len(o.Author.Screen) > 0:
		return FindWindowBrowser(exec.LookPath)
	}
	return FindBrowser(exec.LookPath)
}

// prepare changes the browser's command before it starts, after others have.
func (a Authoring) prepare(before func(*exec.Cmd)) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		before(cmd)
		if a.Pause != nil {
			// Beside the pipe by which it is driven: the browser picks a free port of the
			// loopback, and writes it into its profile.
			cmd.Args = append(cmd.Args, "--remote-debugging-port=0")
		}
	}
}

// devTools returns the address of the tab for DevTools, or "" if the browser opened no
// port for them.
func devTools(profile string, t *chromedp.Target) string {
	text, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort")) //nolint:gosec // of our own profile
	port, _, found := strings.Cut(string(text), "\n")
	if err != nil || !found {
		return ""
	}
	return fmt.Sprintf("devtools://devtools/bundled/inspector.html?ws=%s/devtools/page/%s", net.JoinHostPort("127.0.0.1", port), t.TargetID)
}

// pause lets the author look at the page at which a step has failed.
func (p *Page) pause(ctx context.Context, step string, err error) {
	if p.author.Pause == nil || p.lost() != nil {
		return
	}
	s := Stop{Step: step, Err: err, DevTools: devTools(p.profile, p.target)}
	look, cancel := context.WithTimeout(ctx, evidenceLimit)
	if address, err := chromedp.Evaluate[string]("location.href")(look, p.target); err == nil {
		s.Page = redact(address)
	}
	cancel()
	ctx, end := context.WithCancel(ctx)
	defer end()
	defer p.onLoss(end)() // nothing is left to look at
	p.author.Pause(ctx, s)
}

// show outlines the element that q means and leaves the author time to see it. It
// reports whether it did: then the page may have changed meanwhile.
func (p *Page) show(ctx context.Context, q query) bool {
	if p.author.Slow == 0 || p.shownTo || q.Value == "" {
		return false
	}
	p.shownTo = true
	if err := p.outline(ctx, q, p.author.Slow); err != nil {
		p.log.DebugContext(ctx, "element not outlined", "error", err)
	}
	return sleep(ctx, p.author.Slow) == nil
}

// outline draws a line around the element for as long as asked. It is an animation, so
// that the page's own elements and styles stay as they are.
func (p *Page) outline(ctx context.Context, q query, lasts time.Duration) error {
	q.Op, q.Arg = opOutline, strconv.FormatInt(lasts.Milliseconds(), 10)
	_, err := p.ask(ctx, q)
	return err
}

// slowly is what an author waits for after an action that had no element to outline.
func (p *Page) slowly(ctx context.Context) {
	if p.author.Slow > 0 && !p.shownTo {
		_ = sleep(ctx, p.author.Slow) // the action is done, however this ends
	}
}
