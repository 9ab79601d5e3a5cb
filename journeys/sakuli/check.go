package sakuli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

// A Check runs one suite in the browser of a pool. It may run several times at once.
type Check struct {
	suite *Suite
	pool  *journeys.Pool
	keep  journeys.Evidence
	log   *slog.Logger
}

// NewCheck returns the check that runs s in a browser of pool. A suite whose properties
// want no picture of a failure keeps no evidence of it.
func NewCheck(s *Suite, pool *journeys.Pool, keep journeys.Evidence, log *slog.Logger) *Check {
	if !s.screenshots && keep == journeys.EvidenceOnFailure {
		keep = journeys.EvidenceNever
	}
	return &Check{s, pool, keep, log}
}

// DefaultTimeout is how long a suite may take where the check does not say.
func (c *Check) DefaultTimeout() time.Duration { return time.Minute }

// Run implements [results.Check]. A case that fails does not keep the next from
// running. Its steps are the suite, in it the cases, and in those what they name with
// endOfStep.
func (c *Check) Run(ctx context.Context, rec *results.Recorder) error {
	r := &run{Check: c, rec: rec}
	defer r.closePage()
	if err := r.openPage(ctx); err != nil {
		r.skip(ctx, c.suite.cases)
		return err
	}
	root, err := os.OpenRoot(c.suite.dir)
	if err != nil {
		return results.Blind(results.CauseInternal, fmt.Errorf("suite: %w", err))
	}
	defer func() { _ = root.Close() }()
	ctx, span := rec.Begin(ctx, c.suite.Name)
	span.Limit(c.suite.warning, c.suite.critical)
	var errs []error
	for i := range c.suite.cases {
		if i > 0 && time.Now().After(r.end) && !r.end.IsZero() {
			r.skip(ctx, c.suite.cases[i:])
			errs = append(errs, results.Fault(results.CauseTimeout,
				fmt.Errorf("%s: not reached before the time of the check was over", c.suite.cases[i].name)))
			break
		}
		if i > 0 && !c.suite.reuse {
			r.closePage()
		}
		if err := r.one(ctx, root, &c.suite.cases[i]); err != nil {
			errs = append(errs, err)
		}
	}
	err = errors.Join(errs...)
	if err == nil && c.keep == journeys.EvidenceAlways && r.page != nil {
		r.page.Keep(ctx, span, "end")
	}
	span.End(err)
	return err
}

// A run is one run of a suite.
type run struct {
	*Check
	rec  *results.Recorder
	page *journeys.Page // nil between two
	end  time.Time      // see [journeys.Page.EndsBy]
}

func (r *run) openPage(ctx context.Context) error {
	return r.rec.Step(ctx, "browser", func(ctx context.Context, _ *results.Span) (err error) {
		if r.page, err = r.pool.Open(ctx, r.suite.secrets); err == nil {
			r.end = r.page.EndsBy()
		}
		return err
	})
}

func (r *run) closePage() {
	if r.page != nil {
		r.page.Close()
		r.page = nil
	}
}

// skip records cases that were not run.
func (r *run) skip(ctx context.Context, cases []testCase) {
	for _, c := range cases {
		_, span := r.rec.Begin(ctx, c.name)
		for _, p := range c.planned() {
			span.Add(notReached(r.rec, p))
		}
		span.End(results.Blind(results.CauseStopped, errors.New("not reached")))
	}
}

// one runs one case.
func (r *run) one(ctx context.Context, root *os.Root, c *testCase) error {
	if r.page != nil && r.page.Lost() != nil {
		r.closePage()
	}
	if r.page == nil {
		if err := r.openPage(ctx); err != nil {
			r.skip(ctx, []testCase{*c})
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if err := r.start(ctx, c); err != nil {
		r.skip(ctx, []testCase{*c})
		return fmt.Errorf("%s: %w", c.name, err)
	}
	steps := record(ctx, r.rec, c.name, c.planned())
	err := r.script(root, c, steps) //nolint:contextcheck // steps holds it
	steps.save()
	if err == nil {
		err = steps.failed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", steps.name, err)
	}
	return nil
}

// start opens the page at which the case begins.
func (r *run) start(ctx context.Context, c *testCase) error {
	if c.url == "" {
		return nil
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return results.Blind(results.CauseInternal, err)
	}
	name := r.page.Mask("open " + redact(u))
	return r.rec.Step(ctx, name, func(ctx context.Context, span *results.Span) error {
		err := r.page.Act(ctx, name, patience, func(ctx context.Context) error { return r.page.Visit(ctx, span, c.url) })
		if err != nil && r.keep != journeys.EvidenceNever {
			r.page.Keep(ctx, span, "failure")
		}
		return err
	})
}

// script runs the JavaScript of the case, and ends it when the run's time is over.
func (r *run) script(root *os.Root, c *testCase, steps *recording) error {
	ctx := steps.ctx
	m, err := newMachine(ctx, r, c, root, steps)
	if err != nil {
		return results.Blind(results.CauseInternal, err)
	}
	limit := ctx
	if !r.end.IsZero() { // what handles exceptions may still go on for a while
		deadline, _ := ctx.Deadline()
		var cancel context.CancelFunc
		limit, cancel = context.WithDeadline(ctx, r.end.Add(deadline.Sub(r.end)/2))
		defer cancel()
	}
	defer context.AfterFunc(limit, func() { m.vm.Interrupt("time") })()
	err = m.run(c.main)
	switch {
	case err == nil, steps.failed != nil: // what happened first counts
		return nil
	case !steps.over:
		m.fail(err)
	}
	return err
}

// planned lists the steps that the case names, those of its own file first.
func (c *testCase) planned() []plannedStep {
	list := c.main.steps
	for _, name := range slices.Sorted(maps.Keys(c.loaded)) {
		if name != c.main.name {
			list = append(slices.Clip(list), c.loaded[name].steps...)
		}
	}
	return list
}
