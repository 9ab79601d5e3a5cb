package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/foreshock/foreshock/internal/kind"
	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/report"
)

// checksAtOnce bounds how many checks run side by side.
const checksAtOnce = 8

func runCheck(ctx context.Context, p *program, args []string) int {
	formats := report.Formats()
	f := p.newFlags("check", "[NAME|FILE...] [-c foreshock.yaml] [-o text|json|junit|nagios] [--evidence DIR]", formats...)
	f.note = "A FILE is a journey, which needs no configuration. It ends in .yaml, .yml or .json and is there;\n" +
		"any other word is the NAME of a check. Without words it is all checks but scenarios."
	audit := f.auditFlag()
	evidence := f.String("evidence", "", "`DIR` for what was kept of each check: pictures, requests (HAR), console, page")
	look := f.authorFlags()
	words, err := f.parse(joinSlow(args), formats...)
	if err != nil {
		return checkCode(p.refused(err))
	}
	if f.config == "" && (len(words) == 0 || !allFiles(words)) {
		f.config = "foreshock.yaml"
	}
	if err := p.looksOn(look); err != nil {
		return checkCode(p.wrong(err))
	}
	a, err := p.newApp(ctx, f.config, false)
	if err != nil {
		return checkCode(p.wrong(err))
	}
	a.audit = *audit
	names, err := p.addFiles(a, words, look.vars)
	var entries []runner.Entry
	if err == nil {
		entries, err = a.pick(names)
	}
	if err != nil {
		return checkCode(p.wrong(errors.Join(err, a.close(ctx))))
	}
	if err := evidenceDirs(*evidence, entryNames(entries)); err != nil {
		return checkCode(p.wrong(errors.Join(err, a.close(ctx))))
	}
	found := p.watched(ctx, a, entries, look.live)
	if err := a.close(ctx); err != nil {
		p.log.ErrorContext(ctx, "not everything was stored", "error", err)
	}
	write := report.Write
	if look.watch && f.output == "text" {
		write = p.summaries // the steps have been seen
	}
	if err := write(p.stdout, f.output, found); err != nil {
		return checkCode(p.wrong(err))
	}
	if err := writeEvidence(*evidence, found); err != nil { // which does not change what was found
		p.log.ErrorContext(ctx, "not all evidence was written", "error", err)
	}
	return checkExit(found)
}

// checkCode: of check, a usage or configuration error is 3, as for a monitoring plugin.
func checkCode(code int) int {
	if code == exitUsage {
		return int(results.Unknown)
	}
	return code
}

// pick returns the entries that are named. Without names it is all but scenarios:
// nobody breaks something by leaving out a word.
func (a *app) pick(names []string) ([]runner.Entry, error) {
	var out []runner.Entry
	if len(names) == 0 {
		for _, e := range a.runner.Entries() {
			if e.Kind != "scenario" {
				out = append(out, e)
			}
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("%s: got no check, want at least one", a.cfg.Path)
		}
		return out, nil
	}
	for _, name := range names {
		e, err := a.named(name)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (a *app) named(name string) (runner.Entry, error) {
	e, ok := a.runner.Entry(name)
	if ok {
		return e, nil
	}
	if isFileName(name) {
		return e, fmt.Errorf("got %q, want a file that is there, or the name of a check", name)
	}
	return e, errors.New(kind.UnknownWord("check", name, entryNames(a.runner.Entries())))
}

func entryNames(entries []runner.Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	return names
}

// runAll runs the entries, so many of them side by side, and returns their results in
// their order.
func (a *app) runAll(ctx context.Context, entries []runner.Entry, atOnce int) []results.Result {
	out := make([]results.Result, len(entries))
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, e := range entries {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			// That it could not be stored is said when the store closes.
			out[i], _ = a.runner.Run(ctx, a.runner.Now(e.Name, ""))
		})
	}
	wg.Wait()
	return out
}

// checkExit is 2 if any is critical, else 3 if any is unknown, else 1 if any is a
// warning, else 0.
func checkExit(found []results.Result) int {
	worst := slices.MaxFunc(found, func(x, y results.Result) int {
		switch {
		case x.Status.Worse(y.Status):
			return 1
		case y.Status.Worse(x.Status):
			return -1
		}
		return 0
	})
	return int(worst.Status)
}
