package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/foreshock/foreshock/examples/shop"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/scenarios"
)

// firstLook is how long every check may take for its first result.
const firstLook = 30 * time.Second

// demoInside is the demo in the namespaces that were made for it.
func (p *program) demoInside(ctx context.Context, d demoFlags) int {
	code, err := p.demoLoop(ctx, d)
	switch {
	case err == nil:
		return code
	case ctx.Err() != nil:
		fmt.Fprintln(p.stdout, "\nStopped. Everything the demo started is gone.")
		return exitStopped
	}
	fmt.Fprintln(p.stderr, "foreshock: demo:", err)
	return exitUnsure
}

func (p *program) demoLoop(ctx context.Context, d demoFlags) (code int, err error) {
	dir, err := isolate.Enter()
	if err != nil {
		return 0, err
	}
	ln, err := net.FileListener(isolate.File(0))
	if err != nil {
		return 0, fmt.Errorf("dashboard: %w", err)
	}
	if err := copyFiles(dir, shop.Files); err != nil {
		return 0, err
	}
	s, err := p.startShop(ctx, d.breaker)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	inner := *p
	inner.env = environment(p.env, s.env, map[string]string{"TMPDIR": dir})
	a, err := inner.newApp(ctx, filepath.Join(dir, "foreshock.yaml"), true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	return inner.demoRound(ctx, a, d, ln, dir)
}

// demoRound watches the shop, shakes it once, and stays until it is told to end.
func (p *program) demoRound(ctx context.Context, a *app, d demoFlags, ln net.Listener, dir string) (code int, err error) {
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var watched error
	wg.Go(func() { watched = a.watch(watching, ln, p.log) })
	defer func() { stop(); wg.Wait(); err = errors.Join(err, watched) }()

	fmt.Fprintln(p.stdout, "1. The shop is watched.")
	p.firstResults(ctx, a)
	fmt.Fprintln(p.stdout, "\n2. Payments is cut off with iptables, then healed.")
	specs, err := a.loader.Load(filepath.Join(dir, "scenarios", "payments-outage.yaml"))
	if err != nil {
		return 0, err
	}
	a.engine.Progress = func(n scenarios.Note) { p.progress(n) }
	r, err := a.runScenario(ctx, specs[0])
	if err != nil {
		return 0, err
	}
	fmt.Fprintln(p.stdout, "\n3. The verdict on the storefront's circuit breaker.")
	r.WriteText(p.stdout)
	if d.json != "" {
		report := isolate.File(1)
		if err := errors.Join(r.WriteJSON(report), report.Close()); err != nil {
			return 0, fmt.Errorf("--json %s: %w", d.json, err)
		}
	}
	if d.exit || ctx.Err() != nil {
		return r.ExitCode, nil
	}
	fmt.Fprintln(p.stdout, "\nThe shop and its checks go on; the dashboard shows them. Ctrl-C ends everything.")
	<-watching.Done()
	return r.ExitCode, ctx.Err()
}

// firstResults prints the first result of every check as it comes in.
func (p *program) firstResults(ctx context.Context, a *app) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	seen := map[string]bool{}
	for rec := range a.hub.Subscribe(ctx) {
		r := rec.Result
		if r == nil || seen[r.Check] {
			continue
		}
		seen[r.Check] = true
		fmt.Fprintf(p.stdout, "  %-8s  %-9s  %-18s  %8s", r.Status, r.Kind, r.Check, r.Duration.Round(time.Millisecond/10))
		if r.Message != "" {
			fmt.Fprintf(p.stdout, "  %s", strings.TrimPrefix(string(r.Cause)+": "+r.Message, ": "))
		}
		fmt.Fprintln(p.stdout)
		if len(seen) == len(a.runner.Entries()) {
			return
		}
	}
}

// environment looks up in the maps first, the last one winning, then in base.
func environment(base func(string) (string, bool), layers ...map[string]string) func(string) (string, bool) {
	own := map[string]string{}
	for _, l := range layers {
		maps.Copy(own, l)
	}
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
