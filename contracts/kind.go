package contracts

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// settings are those of the kind, as the configuration writes them.
type settings struct {
	Provider  string            `yaml:"provider"`
	URL       string            `yaml:"url"`
	Files     []string          `yaml:"files"`
	Consumers []string          `yaml:"consumers"`
	StateURL  string            `yaml:"state_change_url"`
	Headers   map[string]string `yaml:"headers"`
	Timeout   time.Duration     `yaml:"request_timeout"`
	Insecure  bool              `yaml:"insecure_tls"`
}

const example = `
provider: catalog
url: http://127.0.0.1:8081
files: [pacts/storefront-catalog.json]
`

// Kind is the kind of check that holds a running provider to its contracts. Relative
// files start at dir; w runs the verifications.
func Kind(dir string, w *Worker) kind.Kind[results.Check] {
	return kind.Of("contract", "a running provider keeps the Pact contracts of its consumers", example,
		settings{Timeout: DefaultTimeout}, func(s settings) (results.Check, error) {
			req := Request{
				Provider: s.Provider, URL: s.URL, Filter: Filter{Consumers: s.Consumers}, StateURL: s.StateURL,
				Headers: s.Headers, Timeout: s.Timeout, InsecureTLS: s.Insecure,
			}
			for _, f := range s.Files {
				if !filepath.IsAbs(f) && !isAddress(f) {
					f = filepath.Join(dir, f)
				}
				req.Files = append(req.Files, f)
			}
			if err := req.Validate(); err != nil {
				return nil, err
			}
			return &check{req, w}, nil
		})
}

// A check verifies one provider; each interaction is a step.
type check struct {
	req    Request
	worker *Worker
}

// Run implements [results.Check].
func (c *check) Run(ctx context.Context, rec *results.Recorder) error {
	rep, err := c.worker.Verify(ctx, c.req)
	if err != nil {
		return err
	}
	return rep.Record(rec)
}

// Record adds each interaction as a step, and returns the report as the error of the
// check.
func (r Report) Record(rec *results.Recorder) error {
	names := stepNames(r.Interactions)
	for i, in := range r.Interactions {
		step := results.Step{
			Name: names[i], Offset: r.Start.Sub(rec.Start()) + in.Offset, Duration: in.Duration,
		}
		if err := in.Err(); err != nil {
			step.Status, step.Cause = results.Judge(err)
			step.Error = err.Error()
		}
		rec.Add(step)
	}
	rec.Say(fmt.Sprintf("%d of %d interactions ok", r.Count(OK), len(r.Interactions)))
	return r.Err()
}

// stepNames names each interaction so that no two have the same name: with its states,
// and a number, where it needs them.
func stepNames(all []Interaction) []string {
	count := map[string]int{}
	for _, in := range all {
		count[in.Name()]++
	}
	names, seen := make([]string, len(all)), map[string]int{}
	for i, in := range all {
		names[i] = in.Name()
		if count[names[i]] > 1 {
			names[i] = in.Given()
		}
		if seen[names[i]]++; seen[names[i]] > 1 {
			names[i] = fmt.Sprintf("%s (%d)", names[i], seen[names[i]])
		}
	}
	return names
}
