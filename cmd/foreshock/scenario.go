package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/foreshock/foreshock/faults"
	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
	"github.com/foreshock/foreshock/scenarios/page"
)

func runScenario(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "scenario command", []command{
		{"run", "", scenarioRun},
		{"plan", "", scenarioPlan},
		{"validate", "", scenarioValidate},
	}, args)
}

// loadScenarios reads the files with what the configuration knows.
func (p *program) loadScenarios(a *app, files []string) ([]*scenarios.Spec, error) {
	if len(files) == 0 {
		return nil, errors.New("got no scenario, want the path of at least one file")
	}
	var specs []*scenarios.Spec
	var errs []error
	for _, f := range files {
		s, err := a.loader.Load(f)
		errs = append(errs, err)
		specs = append(specs, s...)
	}
	return specs, errors.Join(errs...)
}

func scenarioPlan(ctx context.Context, p *program, args []string) int {
	return p.readScenarios("plan", args, func(s *scenarios.Spec) {
		s.WritePlan(p.stdout)
		p.planFaults(ctx, s)
	})
}

// planFaults shows the exact rules of the scenario's faults and the live connections
// that they would meet, or the processes.
func (p *program) planFaults(ctx context.Context, s *scenarios.Spec) {
	for _, f := range s.Faults() {
		plan, err := (&faults.Injector{}).Plan(ctx, f, faults.Options{Run: "plan", Until: time.Now().Add(s.Limit)})
		if err != nil {
			fmt.Fprintf(p.stdout, "  fault %s %s cannot be planned here: %v\n", f.Kind(), f.Target(), err)
			continue
		}
		writeFaultPlan(p.stdout, "  ", f, plan)
	}
}

func scenarioValidate(_ context.Context, p *program, args []string) int {
	return p.readScenarios("validate", args, func(s *scenarios.Spec) { fmt.Fprintf(p.stdout, "%s: valid\n", s.Name) })
}

func (p *program) readScenarios(name string, args []string, show func(*scenarios.Spec)) int {
	f := p.newFlags("scenario "+name, "FILE...")
	files, err := f.parse(args)
	if err != nil {
		return p.refused(err)
	}
	specs, err := p.loadScenarios(p.bare(false), files)
	if err != nil {
		return p.wrong(err)
	}
	for _, s := range specs {
		show(s)
	}
	return exitYes
}

func scenarioRun(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json"}
	f := p.newFlags("scenario run", "FILE... [-c FILE] [-o text|json] [--report FILE] [--json FILE] [--junit FILE] [--markdown FILE]", formats...)
	var to reportFiles
	f.StringVar(&to.html, "report", "", "write the report as one HTML page to `FILE`; of several scenarios, all on it")
	f.StringVar(&to.json, "json", "", "write the report as JSON to `FILE`; of several scenarios, one after another")
	f.StringVar(&to.junit, "junit", "", "write the report as JUnit to `FILE`")
	f.StringVar(&to.markdown, "markdown", "", "write the report as Markdown to `FILE`, for a comment on a pull request")
	audit := f.auditFlag()
	files, err := f.parse(args, formats...)
	if err != nil {
		return p.refused(err)
	}
	a, err := p.newApp(ctx, f.config, false)
	if err != nil {
		return p.wrong(err)
	}
	a.audit = *audit
	specs, err := p.loadScenarios(a, files)
	if err == nil {
		err = to.prepare(len(specs))
	}
	if err != nil {
		return p.wrong(errors.Join(err, a.close(ctx)))
	}
	if f.output == "text" {
		a.engine.Progress = func(n scenarios.Note) { p.progress(n) }
	}
	var codes []int
	var reports []*scenarios.Report
	for _, s := range specs {
		r, err := a.runScenario(ctx, s)
		if err != nil {
			p.log.ErrorContext(ctx, "scenario has no result in the store", "scenario", s.Name, "error", err)
		}
		if r == nil {
			codes = append(codes, exitUnsure)
			continue
		}
		codes, reports = append(codes, r.ExitCode), append(reports, r)
		if err := errors.Join(p.show(r, f.output), to.write(reports)); err != nil {
			codes = append(codes, p.wrong(err))
		}
	}
	if err := a.close(ctx); err != nil {
		p.log.ErrorContext(ctx, "not everything was stored", "error", err)
	}
	return worst(codes)
}

// runScenario runs a scenario as the check that it is, so that its result takes the
// one road, and returns the report. With an error that is results.ErrNotStored there
// is a report all the same.
func (a *app) runScenario(ctx context.Context, s *scenarios.Spec) (*scenarios.Report, error) {
	c := &reported{engine: a.engine, spec: s}
	r := runner.New(a.cfg.Location, a.engine.Events, a.cfg.Secrets, a.engine.Log)
	e := runner.Entry{Name: s.Name, Kind: "scenario", Timeout: a.engine.Check(s).DefaultTimeout(), Check: c}
	if err := r.Add(e); err != nil {
		return nil, err
	}
	res, err := r.Run(ctx, r.Now(s.Name, ""))
	if report := c.report.Load(); report != nil {
		return report, err
	}
	return nil, errors.Join(fmt.Errorf("scenario %s: %s", s.Name, res.Message), err)
}

// reported is a scenario as a check that keeps its report.
type reported struct {
	engine *scenarios.Engine
	spec   *scenarios.Spec
	report atomic.Pointer[scenarios.Report]
}

// Run implements results.Check.
func (c *reported) Run(ctx context.Context, rec *results.Recorder) error {
	report := c.engine.Run(ctx, c.spec)
	c.report.Store(report)
	return c.engine.Record(ctx, rec, report)
}

func (p *program) progress(n scenarios.Note) {
	fmt.Fprintf(p.stdout, "%7.1fs  %-9s  %s\n", n.At.Round(time.Millisecond*100).Seconds(), n.Phase, n.Text)
}

// show writes the report to standard output.
func (p *program) show(r *scenarios.Report, format string) error {
	if format == "json" {
		return json.NewEncoder(p.stdout).Encode(r)
	}
	p.say("") // after its progress
	r.WriteText(p.stdout)
	return nil
}

// reportFiles are the files that reports go to; empty ones are none.
type reportFiles struct{ html, json, junit, markdown string }

// prepare empties the files, before anything is broken.
func (to reportFiles) prepare(scenarios int) error {
	if to.junit != "" && scenarios > 1 {
		return fmt.Errorf("--junit: got %d scenarios, want one: run each with a file of its own", scenarios)
	}
	return errors.Join(emptyFile(to.html), emptyFile(to.json), emptyFile(to.junit), emptyFile(to.markdown))
}

func (to reportFiles) write(reports []*scenarios.Report) error {
	return errors.Join(
		toFile(to.html, func(w io.Writer) error { return page.Write(w, reports...) }),
		toFile(to.json, func(w io.Writer) error { return each(w, reports, (*scenarios.Report).WriteJSON) }),
		toFile(to.markdown, func(w io.Writer) error { return each(w, reports, (*scenarios.Report).WriteMarkdown) }),
		toFile(to.junit, reports[len(reports)-1].WriteJUnit),
	)
}

// each writes the reports one after another.
func each(w io.Writer, reports []*scenarios.Report, write func(*scenarios.Report, io.Writer) error) (err error) {
	for _, r := range reports {
		err = errors.Join(err, write(r, w))
	}
	return err
}

// worst is the exit code of several results: the first of 6, 1, 2, 4, 5, 3, 0 that occurs.
func worst(codes []int) int {
	for _, code := range []int{exitLeft, exitNo, exitUsage, exitNothing, exitStopped, exitUnsure} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return exitYes
}
