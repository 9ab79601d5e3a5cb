package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foreshock/foreshock/breaker/lab"
	"github.com/foreshock/foreshock/internal/isolate"
)

// partWord is the hidden first argument of a process that the lab starts.
const partWord = "--part"

func runBreaker(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "breaker", []command{
		{"lab", "judge the judge: run the verdict on breakers known to be right and to be wrong", breakerLab},
	}, args)
}

// labFlags are the arguments of the lab.
type labFlags struct {
	output   string
	only     string
	list     bool
	rounds   int
	parallel int
	load     string
	reports  string
	tools    string
}

func (p *program) labFlags(args []string) (labFlags, error) {
	var l labFlags
	formats := []string{"text", "json", "markdown"}
	f := p.newFlags("breaker lab", "[-o text|json|markdown] [--only NAME,...] [--rounds N] [--load SHARE]", formats...)
	f.StringVar(&l.only, "only", "", "run the cases of these `NAMES` alone, with commas between")
	f.BoolVar(&l.list, "list", false, "name the cases and run none")
	f.IntVar(&l.rounds, "rounds", 1, "run each case `N` times")
	f.IntVar(&l.parallel, "parallel", 1, "run `N` cases at a time, each in a network of its own; they disturb each other by their CPU alone")
	f.StringVar(&l.load, "load", "", "burn this `SHARE` of all cores meanwhile, such as 50% or 200%")
	f.StringVar(&l.reports, "reports", "", "write the report of every run into `DIR`")
	f.StringVar(&l.tools, "tools", ".tools/lab", "`DIR` of what scripts/setup-lab.sh got for other languages")
	f.note = "Each case runs in namespaces of its own; this machine's firewall is not touched. The exit code\n" +
		"is 0 if every right breaker passed and every wrong one was named, 1 if not, 3 if a case came to no verdict."
	rest, err := f.parse(args, formats...)
	l.output = f.output
	switch {
	case err != nil:
		return l, err
	case len(rest) > 0:
		return l, fmt.Errorf("breaker lab: got %q, want flags only; --only names cases", rest[0])
	case l.rounds < 1:
		return l, fmt.Errorf("--rounds: got %d, want at least 1", l.rounds)
	case l.parallel < 1:
		return l, fmt.Errorf("--parallel: got %d, want at least 1", l.parallel)
	}
	l.tools, err = filepath.Abs(l.tools)
	return l, err
}

func breakerLab(ctx context.Context, p *program, args []string) int {
	if len(args) > 0 && args[0] == partWord {
		return p.labPart(ctx, args[1:])
	}
	if len(args) == 3 && args[0] == insideWord {
		return p.labInside(ctx, args[1], args[2])
	}
	l, err := p.labFlags(args)
	if err != nil {
		return p.refused(err)
	}
	cases, err := lab.Find(strings.FieldsFunc(l.only, func(r rune) bool { return r == ',' }))
	if err != nil {
		return p.wrong(fmt.Errorf("--only: %w", err))
	}
	share, err := lab.Share(l.load)
	if err != nil {
		return p.wrong(fmt.Errorf("--load: %w", err))
	}
	if l.list {
		for _, c := range cases {
			fmt.Fprintf(p.stdout, "%-28s  %-7s  %s\n", c.Name, c.Language, c.Summary)
		}
		return exitYes
	}
	if l.reports != "" {
		if err := os.MkdirAll(l.reports, 0o750); err != nil {
			return p.wrong(fmt.Errorf("--reports: %w", err))
		}
	}
	self, err := labSelf()
	if err != nil {
		return p.unsure(err)
	}
	quiet, err := lab.Burn(ctx, self, share)
	if err != nil {
		return p.unsure(fmt.Errorf("--load: %w", err))
	}
	defer quiet()
	return p.labRounds(ctx, l, cases)
}

// labSelf is the command line of a process that the lab starts.
func labSelf() ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("breaker lab: %w", err)
	}
	return []string{exe, "breaker", "lab", partWord}, nil
}

// labRounds runs the cases and prints what each came to as it ends.
func (p *program) labRounds(ctx context.Context, l labFlags, cases []lab.Case) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var rows []lab.Row
	for row := range p.labRows(ctx, l, cases) {
		if err := writeLabReport(l.reports, row); err != nil {
			return p.wrong(fmt.Errorf("--reports: %w", err))
		}
		row.Report = nil
		rows = append(rows, row)
		if err := p.showRow(row, l.output); err != nil {
			return p.unsure(err)
		}
	}
	switch l.output {
	case "text":
		fmt.Fprintln(p.stdout)
		lab.WriteSummary(p.stdout, rows)
	case "markdown":
		lab.WriteMarkdown(p.stdout, rows)
	}
	if ctx.Err() != nil {
		return exitStopped
	}
	return lab.Worst(rows)
}

// A labJob is one run of one case.
type labJob struct {
	lab.Case
	round int
}

// labRows runs the cases, as many at a time as is asked for, and yields what they come
// to. It ends early when ctx does.
func (p *program) labRows(ctx context.Context, l labFlags, cases []lab.Case) iter.Seq[lab.Row] {
	return func(yield func(lab.Row) bool) {
		ctx, cancel := context.WithCancel(ctx)
		jobs, rows := make(chan labJob), make(chan lab.Row)
		var wg, benches sync.WaitGroup
		defer func() { cancel(); wg.Wait() }()
		wg.Go(func() { labJobs(ctx, jobs, l.rounds, cases) })
		for range l.parallel {
			benches.Go(func() { p.labBench(ctx, jobs, rows, l.tools) })
		}
		wg.Go(func() { benches.Wait(); close(rows) })
		for row := range rows {
			if ctx.Err() != nil || !yield(row) {
				return
			}
		}
	}
}

// labJobs hands out every case, round by round, and closes jobs.
func labJobs(ctx context.Context, jobs chan<- labJob, rounds int, cases []lab.Case) {
	defer close(jobs)
	for n := range rounds * len(cases) {
		select {
		case jobs <- labJob{cases[n%len(cases)], 1 + n/len(cases)}:
		case <-ctx.Done():
			return
		}
	}
}

// labBench does jobs until there are no more or ctx ends.
func (p *program) labBench(ctx context.Context, jobs <-chan labJob, rows chan<- lab.Row, tools string) {
	for j := range jobs {
		row := p.labCase(ctx, j.Case, tools)
		row.Round = j.round
		select {
		case rows <- row:
		case <-ctx.Done():
		}
	}
}

func (p *program) showRow(r lab.Row, format string) error {
	switch format {
	case "json":
		return json.NewEncoder(p.stdout).Encode(r)
	case "text":
		lab.WriteRow(p.stdout, r)
	}
	return nil
}

// labCase runs one case in namespaces of its own.
func (p *program) labCase(ctx context.Context, c lab.Case, tools string) lab.Row {
	var out bytes.Buffer
	_, err := isolate.Run(ctx, isolate.Command{
		Args: []string{"breaker", "lab", insideWord, c.Name, tools}, Stdout: &out, Stderr: p.stderr,
	})
	row := c.Row()
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &row)
	}
	if err != nil {
		row.Reason = err.Error()
	}
	return row
}

// writeLabReport writes the report of a run into a directory; an empty one is none.
func writeLabReport(dir string, r lab.Row) (err error) {
	if dir == "" || r.Report == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.Create(fmt.Sprintf("%s-%d.json", r.Case, r.Round))
	if err != nil {
		return err
	}
	return errors.Join(r.Report.WriteJSON(f), f.Close())
}

// labInside runs one case in the namespaces that were made for it, and writes its row.
func (p *program) labInside(ctx context.Context, name, tools string) int {
	ctx, dir, err := isolate.Enter(ctx)
	if err != nil {
		return p.unsure(fmt.Errorf("breaker lab: %w", err))
	}
	cases, err := lab.Find([]string{name})
	if err != nil {
		return p.wrong(err)
	}
	self, err := labSelf()
	if err != nil {
		return p.unsure(err)
	}
	inner := *p
	inner.log = slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := inner.newApp(ctx, "", true)
	if err != nil {
		return p.unsure(err)
	}
	b := &lab.Bench{Engine: a.engine, Loader: a.loader, Self: self, Tools: tools, Dir: dir}
	row := b.Run(ctx, cases[0])
	if err := errors.Join(a.close(ctx), json.NewEncoder(p.stdout).Encode(row)); err != nil {
		return p.unsure(err)
	}
	return exitYes
}

// labPart is a service or a dependency of the lab, a process of its own.
func (p *program) labPart(ctx context.Context, args []string) int {
	if err := lab.Part(ctx, slices.Clone(args), os.Stdin, p.stdout); err != nil {
		return p.unsure(err)
	}
	return exitYes
}
