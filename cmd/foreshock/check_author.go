package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

const (
	// slowDefault is the pause before each action that --slow asks for without a time.
	slowDefault = 500 * time.Millisecond
	slowTimeout = 30 * time.Minute // of a check that runs slowly
	heldTimeout = 24 * time.Hour   // of a check that waits for somebody at its failure
)

// authoring is how somebody who writes a check looks on while it runs.
type authoring struct {
	journeys.Authoring
}

// alone says that checks run one after another: there is one screen, and one who looks.
func (a authoring) alone() bool { return a.Slow > 0 || a.Pause != nil || len(a.Screen) > 0 }

// tune makes an entry wait for who looks on.
func (a authoring) tune(e *runner.Entry) {
	if a.Slow > 0 { // the time is not the service's
		e.Timeout, e.Warning, e.Critical = max(e.Timeout, slowTimeout), 0, 0
	}
	if a.Pause != nil {
		e.Timeout = max(e.Timeout, heldTimeout)
	}
}

// authorFlags are those of who writes a check.
type authorFlags struct {
	watch, headed, pause bool
	slow                 slowness
	vars                 vars
	live                 *live // of watch
}

func (f *flags) authorFlags() *authorFlags {
	a := &authorFlags{vars: vars{}}
	f.BoolVar(&a.watch, "watch", false, "show the steps while they run, on standard error")
	f.BoolVar(&a.headed, "headed", false, "show the browser's window")
	f.BoolVar(&a.pause, "pause-on-failure", false, "keep the page open when an action fails, until Enter is pressed")
	f.Var(&a.slow, "slow", "`TIME` to wait before each action, with its element outlined ("+slowDefault.String()+" without a value); limits are not judged")
	f.Var(a.vars, "var", "`NAME=VALUE` in place of a variable of the journey FILE; may be repeated")
	return a
}

// slowness is a time that need not be given.
type slowness time.Duration

// String implements [flag.Value].
func (s *slowness) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Set implements [flag.Value].
func (s *slowness) Set(text string) error {
	if on, err := strconv.ParseBool(text); err == nil {
		*s = 0
		if on {
			*s = slowness(slowDefault)
		}
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > time.Minute {
		return fmt.Errorf("got %q, want a time up to a minute, such as 300ms", text)
	}
	*s = slowness(d)
	return nil
}

// IsBoolFlag makes the flag package accept it without a value.
func (s *slowness) IsBoolFlag() bool { return true }

// joinSlow lets people write --slow 300ms, which the flag package would take for a
// flag without a value.
func joinSlow(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if strings.TrimLeft(args[i], "-") == "slow" && strings.HasPrefix(args[i], "-") && i+1 < len(args) {
			if _, err := time.ParseDuration(args[i+1]); err == nil {
				out = append(out, args[i]+"="+args[i+1])
				i++
				continue
			}
		}
		out = append(out, args[i])
	}
	return out
}

// looksOn sets up what the flags ask for, or says what is missing for it.
func (p *program) looksOn(f *authorFlags) error {
	p.author.Slow = time.Duration(f.slow)
	if f.watch {
		f.live = p.newLive()
		// Nothing may be written into what is drawn.
		p.stderr = f.live
		p.log = warnings(f.live)
	}
	if f.headed {
		for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"} {
			if value, ok := p.env(name); ok && value != "" {
				p.author.Screen = append(p.author.Screen, name+"="+value)
			}
		}
		if !strings.Contains(strings.Join(p.author.Screen, " "), "DISPLAY=") {
			return errors.New("--headed: got no screen, as neither DISPLAY nor WAYLAND_DISPLAY is set; " +
				"run it on a desktop, or under xvfb-run, or leave --headed out and watch with --watch")
		}
	}
	if f.pause {
		if _, _, ok := size(p.stdin); !ok {
			return errors.New("--pause-on-failure: got no terminal on standard input, where Enter would end the pause; leave it out where nobody looks on")
		}
		p.author.Pause = p.pauseAt
	}
	return nil
}

// warnings is a logger for commands whose user looks on: of what goes well they tell.
func warnings(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// pauseAt says where a journey has failed, and waits until somebody has looked.
func (p *program) pauseAt(ctx context.Context, s journeys.Stop) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s in step %q; the page is open:\n", p.paint(bold, "paused"), s.Step)
	fmt.Fprintf(&b, "  page      %s\n", printable(s.Page))
	if s.DevTools != "" {
		fmt.Fprintf(&b, "  DevTools  %s\n            (paste it into Chrome's address bar)\n", s.DevTools)
	}
	b.WriteString("Enter goes on. ")
	_, _ = io.WriteString(p.stderr, b.String())
	if err := awaitEnter(ctx, p.stdin); err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "the pause ended", "error", err)
	}
	fmt.Fprintln(p.stderr)
}

// watched runs the entries, and shows their steps meanwhile on l, unless that is nil.
func (p *program) watched(ctx context.Context, a *app, entries []runner.Entry, l *live) []results.Result {
	atOnce := checksAtOnce
	if p.author.alone() {
		atOnce = 1
	}
	if l == nil {
		return a.runAll(ctx, entries, atOnce)
	}
	l.several, l.mask = len(entries) > 1, a.cfg.Secrets.Mask
	a.runner.Watch(l.watch)
	shown, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { l.run(shown) })
	found := a.runAll(ctx, entries, atOnce)
	stop()
	wg.Wait()
	return found
}

// summaries is the line that is left to say of each check when its steps were shown.
func (p *program) summaries(w io.Writer, _ string, found []results.Result) error {
	for _, r := range found {
		mark, colour := markOf(results.Step{Status: r.Status}, true)
		line := fmt.Sprintf("%s %s %s", mark, printable(r.Check), r.Status)
		if r.Cause != "" {
			line += " (" + string(r.Cause) + ")"
		}
		if _, err := fmt.Fprintf(w, "%s in %s\n", p.paint(colour, line), brief(r.Duration)); err != nil {
			return err
		}
	}
	return nil
}
