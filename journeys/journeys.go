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
		File string            `yaml:"file"`
		Vars map[string]string `yaml:"vars"`
	}
	return kind.Table[results.Check]{
		kind.Of("journey", "walks through a web application in a headless browser, step by step",
			"file: journeys/buy-a-mug.yaml\n", settings{},
			func(s settings) (results.Check, error) {
				if s.File == "" {
					return nil, kind.At("file", errors.New("got none, want the path of a journey file"))
				}
				if !filepath.IsAbs(s.File) {
					s.File = filepath.Join(dir, s.File)
				}
				for _, f := range formats {
					if f.Claims(s.File) {
						check, err := f.Load(s.File, vars, s.Vars)
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
				return NewCheck(j, pool), nil
			}),
	}
}

// A Check runs one journey in the browser of a pool. It may run several times at once.
type Check struct {
	journey *Journey
	pool    *Pool
}

// NewCheck returns the check that walks j in a browser of pool.
func NewCheck(j *Journey, pool *Pool) *Check { return &Check{j, pool} }

// Run implements [results.Check]. It ends at the first action that fails; the steps
// that it did not reach are recorded as such, so that each run has all of them.
func (c *Check) Run(ctx context.Context, rec *results.Recorder) error {
	var p *Page
	end := endsBy(ctx)
	err := rec.Step(ctx, "browser", func(ctx context.Context, _ *results.Span) error {
		var err error
		p, err = c.pool.page(ctx)
		return err
	})
	if err != nil {
		c.notReached(rec, 0)
		return err
	}
	defer p.close()
	p.secrets, p.endsBy = c.journey.secrets, end
	for i, s := range c.journey.steps {
		if err := s.run(ctx, rec, p); err != nil {
			c.notReached(rec, i+1)
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (c *Check) notReached(rec *results.Recorder, from int) {
	for _, s := range c.journey.steps[from:] {
		rec.Add(results.Step{
			Name: s.name, Offset: time.Since(rec.Start()), Warning: s.warning, Critical: s.critical,
			Status: results.Unknown, Cause: results.CauseStopped, Error: "not reached",
		})
	}
}

// run does the step's actions, and keeps a picture of the page at which one failed.
func (s step) run(ctx context.Context, rec *results.Recorder, p *Page) error {
	return rec.Step(ctx, s.name, func(ctx context.Context, span *results.Span) error {
		span.Limit(s.warning, s.critical)
		for _, a := range s.do {
			err := rec.Step(ctx, a.name, func(ctx context.Context, span *results.Span) error {
				return p.do(ctx, span, a, s.timeout)
			})
			if err != nil {
				p.attachFailure(ctx, span)
				return err
			}
		}
		return nil
	})
}
