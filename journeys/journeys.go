// Package journeys walks a user's way through a web application in a headless
// browser: a journey is a file of steps, a step a list of actions, and an action one
// file here. One browser process serves all journeys and each run gets a profile of
// its own in it, so that no run sees another's cookies. The package must never blame
// the service for what the browser did (see judge.go), never write a typed value into
// a name or an error, and never leave a browser or a profile behind.
package journeys

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// Kinds lists the kind journey. Relative files start at dir, the directory of the
// configuration; vars are its variables, which a journey may use beside its own. What
// one of the formats claims is no journey file of ours.
func Kinds(pool *Pool, dir string, vars *kind.Vars, formats ...Format) kind.Table[results.Check] {
	type settings struct {
		File     string            `yaml:"file"`
		Vars     map[string]string `yaml:"vars"`
		Evidence Evidence          `yaml:"evidence"`
	}
	return kind.Table[results.Check]{
		kind.Of("journey", "walks through a web application in a headless browser, step by step",
			"file: journeys/buy-a-mug.yaml\n", settings{Evidence: EvidenceOnFailure},
			func(s settings) (results.Check, error) {
				if s.File == "" {
					return nil, kind.At("file", errors.New("got none, want the path of a journey file"))
				}
				if err := s.Evidence.check(); err != nil {
					return nil, err
				}
				if !filepath.IsAbs(s.File) {
					s.File = filepath.Join(dir, s.File)
				}
				for _, f := range formats {
					if f.Claims(s.File) {
						check, err := f.Load(s.File, vars, s.Vars, s.Evidence)
						if err != nil {
							return nil, kind.At("file", err)
						}
						return check, nil
					}
				}
				j, err := Load(s.File, vars, s.Vars)
				if err != nil {
					return nil, kind.At("file", err)
				}
				c := NewCheck(j, pool)
				c.evidence = s.Evidence
				return c, nil
			}),
	}
}

// A Check runs one journey in the browser of a pool. It may run several times at once.
type Check struct {
	journey  *Journey
	pool     *Pool
	evidence Evidence
}

// NewCheck returns the check that walks j in a browser of pool, and keeps evidence of
// what fails.
func NewCheck(j *Journey, pool *Pool) *Check { return &Check{j, pool, EvidenceOnFailure} }

// Run implements [results.Check]. It ends at the first action that fails; the steps
// that it did not reach are recorded as such, so that each run has all of them.
func (c *Check) Run(ctx context.Context, rec *results.Recorder) error {
	ctx, cancel := c.journey.limits.within(ctx)
	defer cancel()
	var p *Page
	end := endsBy(ctx)
	err := rec.Step(ctx, "browser", func(ctx context.Context, _ *results.Span) error {
		var err error
		if p, err = c.pool.page(ctx); err != nil {
			return err
		}
		return p.prepare(ctx)
	})
	if p != nil {
		defer p.close()
	}
	if err != nil {
		c.notReached(rec, 0)
		return err
	}
	p.secrets, p.endsBy = c.journey.secrets, end
	return c.walk(ctx, rec, p)
}

// walk does the steps, and then keeps what the page told of itself: beside the step
// that failed, else beside the first that was far too slow, else beside the last.
func (c *Check) walk(ctx context.Context, rec *results.Recorder, p *Page) error {
	var about, slow *results.Span
	var failed error
	start := time.Now()
	for i, s := range c.journey.steps {
		begin := time.Now()
		span, err := c.step(ctx, rec, p, s)
		about = span
		if s.critical > 0 && time.Since(begin) > s.critical && slow == nil {
			slow = span
		}
		if err != nil {
			failed = fmt.Errorf("%s: %w", s.name, err)
			p.pause(ctx, s.name, err)
			c.notReached(rec, i+1)
			break
		}
	}
	late := c.journey.limits.judge(time.Since(start))
	p.recordVitals(ctx)
	picture := "end"
	switch {
	case failed != nil:
		picture = "failure"
	case slow != nil:
		about = slow
	}
	if c.wants(ctx, failed != nil || slow != nil || late != nil) {
		p.keep(ctx, about, picture)
	}
	if failed != nil {
		return failed
	}
	return late
}

func (c *Check) notReached(rec *results.Recorder, from int) {
	for _, s := range c.journey.steps[from:] {
		rec.Add(results.Step{
			Name: s.name, Offset: time.Since(rec.Start()), Warning: s.warning, Critical: s.critical,
			Status: results.Unknown, Cause: results.CauseStopped, Error: "not reached",
		})
	}
}

// step does a step's actions. Its span takes the evidence later, out of its time.
func (c *Check) step(ctx context.Context, rec *results.Recorder, p *Page, s step) (*results.Span, error) {
	var whole *results.Span
	err := rec.Step(ctx, s.name, func(ctx context.Context, span *results.Span) error {
		whole = span
		if p.author.Slow == 0 {
			span.Limit(s.warning, s.critical)
		}
		for _, a := range s.do {
			var acted *results.Span
			err := rec.Step(ctx, a.name, func(ctx context.Context, span *results.Span) error {
				acted = span
				p.watch.vitals.during(span)
				return p.do(ctx, span, a, s.timeout)
			})
			if err != nil {
				return err
			}
			if c.filming() {
				p.shoot(ctx, acted, elapsed(rec))
			}
		}
		return nil
	})
	return whole, err
}
