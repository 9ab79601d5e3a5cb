package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/foreshock/foreshock/examples/shop"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// firstLook is how long every check may take for its first result.
const firstLook = 30 * time.Second

// demoInside is the demo in the namespaces that were made for it.
func (p *program) demoInside(ctx context.Context, d demoFlags) int {
	// Before anything is started, so that nothing inherits them.
	socket, report := isolate.File(0), isolate.File(1)
	ctx, dir, err := isolate.Enter(ctx)
	if err != nil {
		return p.unsure(fmt.Errorf("demo: %w", err))
	}
	p.say("The sample shop, what breaks it and the browser run in network, process and mount\n"+
		"namespaces of their own%s. This machine's firewall is not touched.", withoutRoot())
	inner := *p
	// The terminal belongs to the demo's own words: a slot that a slow browser missed is on the dashboard.
	inner.log = slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError, ReplaceAttr: timeless}))
	code, err := inner.demoLoop(ctx, d, dir, socket, report)
	if err != nil && !errors.Is(err, context.Canceled) {
		code = worst([]int{code, p.unsure(fmt.Errorf("demo: %w", err))})
	}
	if ctx.Err() != nil {
		p.say("\nStopped. Everything that the demo started is gone.")
	}
	if code == noVerdict {
		return exitStopped
	}
	return code
}

// noVerdict is in the place of an exit code where there is no verdict yet.
const noVerdict = -1

func withoutRoot() string {
	if isolate.ByRoot() {
		return ""
	}
	return ", made without root"
}

func timeless(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// demoLoop starts the shop and what watches it in dir, where nothing else is, and ends
// both. It returns the verdict's exit code, or noVerdict.
func (p *program) demoLoop(ctx context.Context, d demoFlags, dir string, socket, report *os.File) (code int, err error) {
	// The browser's profile and whatever else is temporary vanish with the namespaces.
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return noVerdict, err
	}
	ln, err := net.FileListener(socket)
	if err = errors.Join(err, socket.Close()); err != nil {
		return noVerdict, fmt.Errorf("dashboard: %w", err)
	}
	if err := copyFiles(dir, shop.Files); err != nil {
		return noVerdict, err
	}
	s, err := p.startShop(ctx, d.breaker)
	if err != nil {
		return noVerdict, err
	}
	defer s.stop()
	inner := *p
	inner.env = environment(p.env, s.env)
	a, err := inner.newApp(ctx, filepath.Join(dir, "foreshock.yaml"), true)
	if err != nil {
		return noVerdict, err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	return inner.demoRound(ctx, a, d, ln, filepath.Join(dir, "scenarios", "payments-outage.yaml"), report)
}

// demoRound watches the shop, shakes it once, and stays until it is told to end.
func (p *program) demoRound(ctx context.Context, a *app, d demoFlags, ln net.Listener, scenario string, report *os.File) (code int, err error) {
	news := a.hub.Subscribe(ctx)
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var watched error
	wg.Go(func() { watched = a.watch(watching, ln, p.log); stop() })
	defer func() { stop(); wg.Wait(); err = errors.Join(err, watched) }()

	p.heading("1. The shop is watched")
	p.firstResults(watching, a, news)
	if err := watching.Err(); err != nil {
		return noVerdict, err
	}
	p.heading("2. Payments is cut off with iptables, then healed")
	specs, err := a.loader.Load(scenario)
	if err != nil {
		return noVerdict, err
	}
	a.engine.Progress = func(n scenarios.Note) { p.progress(n) }
	r, err := a.runScenario(watching, specs[0])
	if err != nil {
		return noVerdict, err
	}
	if err := errors.Join(r.WriteJSON(report), report.Close()); err != nil {
		return r.ExitCode, fmt.Errorf("report: %w", err)
	}
	p.demoStory(r)
	p.heading("4. The verdict on the storefront's circuit breaker")
	r.WriteText(p.stdout)
	stays := !d.exit && watching.Err() == nil
	p.demoHints(d, r, stays)
	if stays {
		<-watching.Done()
	}
	return r.ExitCode, nil
}

// firstResults prints the first result of every check as it comes in.
func (p *program) firstResults(ctx context.Context, a *app, news <-chan results.Record) {
	limit := time.NewTimer(firstLook)
	defer limit.Stop()
	missing := map[string]bool{}
	for _, e := range a.runner.Entries() {
		missing[e.Name] = true
	}
	for len(missing) > 0 {
		select {
		case rec, ok := <-news:
			if !ok {
				return
			}
			if r := rec.Result; r != nil && missing[r.Check] && r.Cause != results.CauseMissed {
				delete(missing, r.Check)
				p.result(r)
			}
		case <-limit.C:
			for name := range maps.Keys(missing) {
				p.say("   no result of %s within %v", name, firstLook)
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

// environment looks up in the map first, then in base.
func environment(base func(string) (string, bool), own map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if v, ok := own[name]; ok {
			return v, true
		}
		return base(name)
	}
}

// copyFiles writes the embedded files below dir.
func copyFiles(dir string, files fs.FS) error {
	if err := os.CopyFS(dir, files); err != nil {
		return fmt.Errorf("write the demo's files: %w", err)
	}
	return nil
}
