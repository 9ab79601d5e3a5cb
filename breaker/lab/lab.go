// Package lab judges the judge: it runs the verdict on circuit breakers that are known
// to be right and on ones that are known to be wrong, each in a process of its own
// behind a real rule, and notes which the verdict named. It must never help the verdict:
// it looks from outside, as any user's scenario does, and what it declares of a breaker
// is what that breaker's owner would write.
package lab

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// A Bench runs cases, one at a time. It must be in a network namespace of its own.
type Bench struct {
	Engine *scenarios.Engine
	Loader scenarios.Loader
	Self   []string // the command line that calls Part: a program and its first arguments
	Tools  string   // where scripts/setup-lab.sh put what other languages need
	Dir    string   // an empty directory for what the services write
}

// A Row is what one run of one case came to.
type Row struct {
	Case     string            `json:"case"`
	Right    bool              `json:"right"`
	Language string            `json:"language"`
	Expected []string          `json:"expected"` // properties, any of which names the fault; none of a right one
	Verdict  string            `json:"verdict"`  // empty where there was none
	Failed   []string          `json:"failed"`   // properties
	Unsure   []string          `json:"unsure"`   // properties that were inconclusive
	Outcome  Outcome           `json:"outcome"`
	Reason   string            `json:"reason"`
	Seconds  float64           `json:"seconds"` // of the verdict, without starting the service
	Round    int               `json:"round"`
	Report   *scenarios.Report `json:"report,omitempty"`
}

// An Outcome tells whether the verdict was right.
type Outcome string

// The outcomes.
const (
	Hit        Outcome = "hit"         // a right breaker passed, or a wrong one was named
	Miss       Outcome = "miss"        // a wrong breaker passed
	Misnamed   Outcome = "misnamed"    // a wrong breaker failed, and by another property than the one it breaks
	FalseAlarm Outcome = "false alarm" // a right breaker failed
	NoVerdict  Outcome = "no verdict"  // neither pass nor fail
	NotLooked  Outcome = "not looked"  // the case could not be run here
)

// Run runs one case and says what it came to.
func (b *Bench) Run(ctx context.Context, c Case) Row {
	row := c.Row()
	site, err := b.start(ctx, c)
	if err != nil {
		row.Reason = err.Error()
		return row
	}
	defer site.stop()
	spec, err := b.spec(c, site) //nolint:contextcheck // reading a file has limits of its own
	if err != nil {
		row.Reason = err.Error()
		return row
	}
	begin := time.Now()
	row.judge(b.Engine.Run(ctx, spec))
	row.Seconds = time.Since(begin).Seconds()
	return row
}

// spec is the scenario of a case, as its user would have written it.
func (b *Bench) spec(c Case, s *site) (*scenarios.Spec, error) {
	file := filepath.Join(b.Dir, c.Name+".yaml")
	if err := os.WriteFile(file, []byte(c.scenario(s)), 0o600); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	specs, err := b.Loader.Load(file)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return specs[0], nil
}

// judge holds the verdict against what is known of the breaker.
func (r *Row) judge(rep *scenarios.Report) {
	r.Report, r.Verdict, r.Reason = rep, rep.Verdict.String(), rep.Reason
	for _, p := range rep.Properties {
		if p.Verdict == verdict.Fail {
			r.Failed = append(r.Failed, p.ID)
		}
		if p.Verdict == verdict.Inconclusive {
			r.Unsure = append(r.Unsure, p.ID)
		}
	}
	named := slices.ContainsFunc(r.Failed, func(id string) bool { return slices.Contains(r.Expected, id) })
	switch {
	case rep.Verdict == verdict.Pass && r.Right, rep.Verdict == verdict.Fail && named:
		r.Outcome = Hit
	case rep.Verdict == verdict.Pass:
		r.Outcome = Miss
	case rep.Verdict == verdict.Fail && r.Right:
		r.Outcome = FalseAlarm
	case rep.Verdict == verdict.Fail:
		r.Outcome = Misnamed
	default:
		r.Outcome = NoVerdict
	}
}

// Worst is the exit code of all rows: 0 if each was a hit, 1 if any was a miss, a
// misnaming or a false alarm, 3 if there was no row or one without a verdict.
func Worst(rows []Row) int {
	if len(rows) == 0 {
		return verdict.Inconclusive.ExitCode()
	}
	code := verdict.Pass.ExitCode()
	for _, r := range rows {
		switch r.Outcome {
		case Hit:
		case Miss, Misnamed, FalseAlarm:
			return verdict.Fail.ExitCode()
		case NoVerdict, NotLooked:
			code = verdict.Inconclusive.ExitCode()
		}
	}
	return code
}

// Find returns the cases whose names are given, or all if none is. The error names the
// first that is not known.
func Find(names []string) ([]Case, error) {
	all := Cases()
	if len(names) == 0 {
		return all, nil
	}
	var found []Case
	for _, name := range names {
		i := slices.IndexFunc(all, func(c Case) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("case: got %q, want one of those that foreshock breaker lab --list names", name)
		}
		found = append(found, all[i])
	}
	slices.SortFunc(found, func(a, b Case) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(found, func(a, b Case) bool { return a.Name == b.Name }), nil
}
