package contracts

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// settings are those of the kind, as the configuration writes them.
type settings struct {
	Provider     string              `yaml:"provider"`
	URL          string              `yaml:"url"`
	Files        []string            `yaml:"files"`
	Broker       brokerSettings      `yaml:"broker"`
	Consumers    []string            `yaml:"consumers"`
	Interactions string              `yaml:"interactions"`
	AlsoSafe     []string            `yaml:"also_safe"`
	StateURL     string              `yaml:"state_change_url"`
	StateCommand []string            `yaml:"state_command"`
	Headers      map[string]string   `yaml:"headers"`
	Timeout      time.Duration       `yaml:"request_timeout"`
	Fresh        map[string][]string `yaml:"fresh_headers"`
	Insecure     bool                `yaml:"insecure_tls"`
	TLS          TLS                 `yaml:"tls"`
	Version      *Running            `yaml:"version"`
}

// brokerSettings say which pacts of a broker count.
type brokerSettings struct {
	URL         string            `yaml:"url"`
	Token       string            `yaml:"token"`
	Username    string            `yaml:"username"`
	Password    string            `yaml:"password"`
	Environment string            `yaml:"environment"`
	Selectors   []broker.Selector `yaml:"selectors"`
	Branch      string            `yaml:"branch"`
	Pending     bool              `yaml:"pending"`
}

const example = `
provider: catalog
url: http://127.0.0.1:8081
files: [pacts/storefront-catalog.json]
`

// Kind is the kind of check that holds a running provider to its contracts. Relative
// files start at dir; w runs the verifications. A check asks over and over, and perhaps
// in production: unless told otherwise it sends nothing that may change something.
func Kind(dir string, w *Worker) kind.Kind[results.Check] {
	return kind.Of("contract", "a running provider keeps the Pact contracts of its consumers", example,
		settings{Timeout: DefaultTimeout, Interactions: "safe"}, func(s settings) (results.Check, error) {
			req := Request{
				Provider: s.Provider, URL: s.URL, StateURL: s.StateURL, StateCommand: s.StateCommand,
				Filter:  Filter{Consumers: s.Consumers, Safe: s.Interactions == "safe", SafeToo: anyOf(s.AlsoSafe)},
				Headers: s.Headers, Fresh: s.Fresh, Timeout: s.Timeout, InsecureTLS: s.Insecure, TLS: s.TLS,
			}
			for _, f := range s.Files {
				if !filepath.IsAbs(f) && !isAddress(f) {
					f = filepath.Join(dir, f)
				}
				req.Files = append(req.Files, f)
			}
			err := s.check()
			if err == nil && s.Broker.URL != "" {
				req.Broker, req.Selection, err = s.Broker.build()
			}
			if err == nil {
				err = req.Validate()
			}
			if err != nil {
				return nil, err
			}
			return &check{req, w, s.Version, s.Broker.Environment}, nil
		})
}

func (s settings) check() error {
	switch {
	case s.Interactions != "safe" && s.Interactions != "all":
		return kind.At("interactions", errors.New(kind.UnknownWord("choice", s.Interactions, []string{"safe", "all"})))
	case s.Broker.URL == "" && s.Broker.Environment != "":
		return kind.At("broker.url", errors.New("got none beside an environment, want the broker that knows it"))
	case s.Version == nil && s.Broker.Environment != "":
		return kind.At("version", errors.New("got none beside broker.environment, want where the version that runs is read, such as {header: X-Version}"))
	case s.Version == nil:
		return nil
	}
	if err := s.Version.check(); err != nil {
		return kind.At("version", err)
	}
	return nil
}

// build returns the client. Without selectors it is the pacts of what runs in the
// environment, or of the main branches.
func (s brokerSettings) build() (*broker.Client, broker.Selection, error) {
	sel := broker.Selection{Selectors: s.Selectors, Branch: s.Branch, Pending: s.Pending}
	switch {
	case len(sel.Selectors) > 0:
	case s.Environment != "":
		sel.Selectors = []broker.Selector{{Environment: s.Environment}}
	default:
		sel.Selectors = []broker.Selector{{MainBranch: true}}
	}
	for i, one := range sel.Selectors {
		if err := one.Check(); err != nil {
			return nil, sel, kind.At(fmt.Sprintf("broker.selectors[%d]", i), err)
		}
	}
	if err := sel.Check(); err != nil {
		return nil, sel, kind.At("broker", err)
	}
	c, err := broker.New(broker.Options{URL: s.URL, Token: s.Token, User: s.Username, Password: s.Password})
	if err != nil {
		return nil, sel, kind.At("broker", err)
	}
	return c, sel, nil
}

// anyOf matches exactly the texts; nil matches none.
func anyOf(texts []string) *regexp.Regexp {
	if len(texts) == 0 {
		return nil
	}
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = regexp.QuoteMeta(t)
	}
	return regexp.MustCompile("^(?:" + strings.Join(quoted, "|") + ")$")
}

// A check verifies one provider; each interaction is a step.
type check struct {
	req         Request
	worker      *Worker
	running     *Running // nil: the version is not read
	environment string   // whose record at the broker it is compared with; empty: none
}

// Run implements [results.Check].
func (c *check) Run(ctx context.Context, rec *results.Recorder) error {
	rep, err := c.worker.Verify(ctx, c.req)
	if err != nil {
		return err
	}
	if c.req.StateURL == "" && len(c.req.StateCommand) == 0 {
		rep.sortOut()
	}
	err = rep.Record(rec)
	runs, drifted := c.drift(ctx, rec)
	if runs != "" {
		rec.Say(rep.says() + ", version " + runs)
	}
	return errors.Join(err, drifted)
}

// Record adds each interaction as a step, and returns the report as the error of the
// check.
func (r Report) Record(rec *results.Recorder) error {
	for _, in := range r.Interactions {
		step := results.Step{
			Name: in.step, Offset: r.Start.Sub(rec.Start()) + in.Offset, Duration: in.Duration,
		}
		if in.Response > 0 {
			step.Values = map[string]float64{"response_seconds": in.Response.Seconds()}
		}
		if err := in.Err(); err != nil {
			step.Status, step.Cause = results.Judge(err)
			step.Error = err.Error()
		}
		rec.Add(step)
	}
	rec.Say(r.says())
	return r.Err()
}

func (r Report) says() string {
	return fmt.Sprintf("%d of %d interactions ok", r.Count(OK), len(r.Interactions))
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
