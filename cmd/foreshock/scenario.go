package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
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

func scenarioPlan(_ context.Context, p *program, args []string) int {
	return p.readScenarios("plan", args, func(s *scenarios.Spec) { s.WritePlan(p.stdout) })
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
	f := p.newFlags("scenario run", "FILE... [-c FILE] [-o text|json] [--json FILE] [--junit FILE]", formats...)
	jsonFile := f.String("json", "", "write the report as JSON to `FILE`")
	junitFile := f.String("junit", "", "write the report as JUnit to `FILE`")
	files, err := f.parse(args, formats...)
	if err != nil {
		return p.refused(err)
	}
	a, err := p.newApp(ctx, f.config, false)
	if err != nil {
		return p.wrong(err)
	}
	specs, err := p.loadScenarios(a, files)
	if err != nil {
		return p.wrong(errors.Join(err, a.close(ctx)))
	}
	if f.output == "text" {
		a.engine.Progress = func(n scenarios.Note) { p.progress(n) }
	}
	var codes []int
	for _, s := range specs {
		r, err := a.runScenario(ctx, s)
		if err != nil {
			p.log.ErrorContext(ctx, "result not stored", "scenario", s.Name, "error", err)
		}
		codes = append(codes, r.ExitCode)
		if err := p.writeReport(r, f.output, *jsonFile, *junitFile); err != nil {
			codes = append(codes, p.wrong(err))
		}
	}
	if err := a.close(ctx); err != nil {
		p.log.ErrorContext(ctx, "not everything was stored", "error", err)
	}
	return worst(codes)
}

// runScenario runs a scenario as the check that it is, so that its result takes the
// one road, and returns the report.
func (a *app) runScenario(ctx context.Context, s *scenarios.Spec) (*scenarios.Report, error) {
	c := &reported{engine: a.engine, spec: s}
	r := runner.New(a.cfg.Location, a.engine.Events, a.cfg.Secrets, a.engine.Log)
	e := runner.Entry{Name: s.Name, Kind: "scenario", Timeout: a.engine.Check(s).DefaultTimeout(), Check: c}
	if err := r.Add(e); err != nil {
		return nil, err
	}
	_, err := r.Run(ctx, r.Now(s.Name, ""))
	return c.report, err
}

// reported is a scenario as a check that keeps its report.
type reported struct {
	engine *scenarios.Engine
	spec   *scenarios.Spec
	report *scenarios.Report
}

// Run implements results.Check.
func (c *reported) Run(ctx context.Context, rec *results.Recorder) error {
	c.report = c.engine.Run(ctx, c.spec)
	return scenarios.Record(ctx, rec, c.report)
}

func (p *program) progress(n scenarios.Note) {
	fmt.Fprintf(p.stdout, "%7.1fs  %-9s  %s\n", n.At.Round(time.Millisecond*100).Seconds(), n.Phase, n.Text)
}

func (p *program) writeReport(r *scenarios.Report, format, jsonFile, junitFile string) error {
	if format == "json" {
		if err := json.NewEncoder(p.stdout).Encode(r); err != nil {
			return err
		}
	} else {
		r.WriteText(p.stdout)
	}
	return errors.Join(toFile(jsonFile, r.WriteJSON), toFile(junitFile, r.WriteJUnit))
}

// toFile writes to the file at path; an empty path writes nothing.
func toFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
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
