package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/internal/vault"
	"github.com/foreshock/foreshock/results"
)

// A Spec is one document of a scenario file.
type Spec struct {
	Name      string              `yaml:"name"`
	Summary   string              `yaml:"summary"`
	Vars      map[string]string   `yaml:"vars"`
	Setup     []kind.Node         `yaml:"setup"`    // steps before anything is broken
	Teardown  []kind.Node         `yaml:"teardown"` // steps after healing, however the run ended
	Checks    []kind.Node         `yaml:"checks"`
	Load      load                `yaml:"load"`
	Baseline  baseline            `yaml:"baseline"`
	Target    target              `yaml:"target"`
	Breaker   declared            `yaml:"breaker"`
	Fault     []kind.Node         `yaml:"fault"`
	Isolated  []string            `yaml:"isolated"`
	WhileOpen []string            `yaml:"while_open"`
	Contracts map[string]contract `yaml:"contracts"` // by the name of their check
	RecoverIn time.Duration       `yaml:"recovers_in"`
	AbortWhen []string            `yaml:"abort_when"`
	Require   []string            `yaml:"require"`
	Limit     time.Duration       `yaml:"limit"`
	Without   []string            `yaml:"accept_missing"` // what the kernel may lack: faults.Missables

	path     string
	instance string // the replica that is called instead of the URL's host, or empty
	text     string // of the whole file
	sha256   string
	inline   []run.Entry
	looks    func(saved map[string]string) kind.Table[results.Check] // what inline checks can be
	saves    []string                                                // names of what the setup saves
	faults   []faults.Fault
	secrets  *kind.Secrets
}

type load struct {
	MaxRate        rate          `yaml:"max_rate"`        // calls a second at most
	MaxConcurrency int           `yaml:"max_concurrency"` // calls at the same time at most
	WarmUp         time.Duration `yaml:"warm_up"`         // of calls before the baseline, which nobody judges
}

type baseline struct {
	Idle    time.Duration `yaml:"idle"`
	Calls   int           `yaml:"calls"`
	Success percent       `yaml:"success"`
	P99     time.Duration `yaml:"p99"`
}

// defaultLimit is how long a scenario may take that says nothing of it, unless its plan
// needs longer.
const defaultLimit = 90 * time.Second

// defaults are what a scenario file need not say.
func defaults() Spec {
	return Spec{
		Load:      load{MaxRate: 50, MaxConcurrency: 20},
		Baseline:  baseline{Idle: 2 * time.Second, Calls: 20, Success: 1, P99: 500 * time.Millisecond},
		Breaker:   declared{HalfOpenCalls: 1, FailsFastIn: 50 * time.Millisecond},
		RecoverIn: 5 * time.Second,
	}
}

// A Loader reads scenario files.
type Loader struct {
	Checks  func(*kind.Vars) kind.Table[results.Check] // what inline checks can be
	Env     func(string) (string, bool)
	Secrets *kind.Secrets
}

// Load reads every scenario of a file. The error holds all that is wrong, a line each.
func (l Loader) Load(path string) ([]*Spec, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	docs, err := kind.Parse(path, text)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("%s: got no scenario, want at least name, target and fault", path)
	}
	var specs []*Spec
	var errs []error
	line := map[string]int{}
	for _, doc := range docs {
		s, err := l.one(path, doc)
		if s != nil {
			if first, dup := line[s.Name]; dup {
				err = doc.Get("name").Errorf("name: got %q, which the scenario at line %d has already", s.Name, first)
			}
			line[s.Name] = doc.Line
		}
		errs = append(errs, err)
		specs = append(specs, s)
	}
	sum := sha256.Sum256(text)
	for _, s := range specs {
		if s != nil {
			s.text, s.sha256 = string(text), hex.EncodeToString(sum[:])
		}
	}
	return specs, errors.Join(errs...)
}

func (l Loader) one(path string, doc kind.Node) (*Spec, error) {
	vars := &kind.Vars{Dir: filepath.Dir(path), Env: l.Env, Secrets: l.Secrets, Vault: vault.From(l.Env), Named: map[string]string{}}
	if own := doc.Get("vars"); own.Shape == kind.Mapping {
		expanded, err := own.Expand(vars)
		if err != nil {
			return nil, err
		}
		if err := expanded.Decode(&vars.Named); err != nil {
			return nil, err
		}
	}
	saves, err := savedBy(doc, vars.Named)
	if err != nil {
		return nil, err
	}
	vars.Deferred = append([]string{"call"}, saves...)
	if doc, err = doc.Expand(vars); err != nil {
		return nil, err
	}
	s := defaults()
	s.path, s.secrets, s.saves = path, l.Secrets, saves
	s.looks = func(saved map[string]string) kind.Table[results.Check] {
		with := *vars
		with.Named = maps.Clone(vars.Named)
		maps.Copy(with.Named, saved)
		return l.Checks(&with)
	}
	if err := doc.Decode(&s); err != nil {
		return nil, err
	}
	if err := s.placeContracts(doc); err != nil {
		return nil, err
	}
	s.defaultsThatFollow()
	faulty := s.buildFaults(doc) // the plan depends on them
	if !doc.Has("limit") && s.Target.given() {
		s.Limit = max(defaultLimit, s.needAll()*time.Duration(max(1, len(s.Target.Instances))))
	}
	s.inline, err = s.buildChecks(s.standIns())
	if err := errors.Join(err, s.trySteps(), faulty, s.tryReader(), s.validate(doc)); err != nil {
		return nil, err
	}
	return &s, nil
}

// defaultsThatFollow fills in what follows from other settings.
func (s *Spec) defaultsThatFollow() {
	if s.Breaker.counts() && s.Breaker.MinCalls == 0 {
		s.Breaker.MinCalls = s.Breaker.Window.calls // as resilience4j has it
	}
	if s.Breaker.SlowCall > 0 && s.Breaker.SlowRate == 0 {
		s.Breaker.SlowRate = 1
	}
	if s.Breaker.HalfOpenSuccesses == 0 {
		s.Breaker.HalfOpenSuccesses = s.Breaker.HalfOpenCalls
	}
	s.Target.complete()
	if s.Breaker.CallTimeout == 0 {
		s.Breaker.CallTimeout = s.Target.timeout()
	}
}

// buildChecks builds the inline checks with what the setup has saved.
func (s *Spec) buildChecks(saved map[string]string) (entries []run.Entry, err error) {
	table := s.looks(saved)
	var errs []error
	line := map[string]int{}
	for _, n := range s.Checks {
		e, err := config.Check(n.Fill(saved), table, false)
		if first, dup := line[e.Name]; err == nil && dup {
			err = n.Get("name").Errorf("checks: name: got %q, which the check at line %d has already", e.Name, first)
		}
		line[e.Name] = n.Line
		errs = append(errs, err)
		entries = append(entries, e)
	}
	return entries, errors.Join(errs...)
}

func (s *Spec) buildFaults(doc kind.Node) error {
	var errs []error
	for _, n := range s.Fault {
		_, f, err := faults.ScenarioKinds().Build("fault", n)
		if errs = append(errs, err); err == nil {
			s.faults = append(s.faults, f)
		}
	}
	if len(s.Fault) == 0 {
		errs = append(errs, doc.Get("fault").Errorf("fault: got no fault, want at least one, such as - drop: {to: \"127.0.0.1:9002\"}"))
	}
	if errs := errors.Join(errs...); errs != nil {
		return errs
	}
	if !slices.ContainsFunc(s.faults, faults.Breaks) {
		errs = append(errs, doc.Get("fault").Errorf("fault: got nothing but watch, which breaks nothing, want a fault beside it, such as - pause: {pid: 4711}"))
	}
	return errors.Join(errs...)
}

// watched lists the checks that the scenario names, each once.
func (s *Spec) watched() []string {
	names := slices.Concat(s.Isolated, s.WhileOpen, s.AbortWhen)
	slices.Sort(names)
	return slices.Compact(names)
}

// others lists the isolated checks that wait while the breaker is being opened: not those
// that stop a run, and each once.
func (s *Spec) others() []string {
	return slices.DeleteFunc(slices.Clone(s.Isolated), func(name string) bool {
		return slices.Contains(s.WhileOpen, name) || slices.Contains(s.AbortWhen, name)
	})
}

// Faults are what the scenario does to the system.
func (s *Spec) Faults() []faults.Fault { return slices.Clone(s.faults) }
