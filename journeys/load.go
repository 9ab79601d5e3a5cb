package journeys

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// patience is how long an action waits for the page where the step does not say.
const patience = 10 * time.Second

// A Journey is a file of steps, read and checked. It is a value that nothing changes.
type Journey struct {
	Name    string // as the file gives it, else the file's name without its suffix
	steps   []step
	secrets *kind.Secrets
}

// Load reads a journey file. vars are the variables around it; the file's own vars
// are added, and given replaces the values of those. Relative ${file:} paths start at
// the journey file. What is wrong in the file is told with its line and column.
func Load(path string, vars *kind.Vars, given map[string]string) (*Journey, error) {
	docs, err := kind.ParseFile(path)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%s: got %d documents, want one journey", path, len(docs))
	}
	v, err := scope(docs[0], vars, given)
	if err != nil {
		return nil, err
	}
	doc, err := docs[0].Expand(v)
	if err != nil {
		return nil, err
	}
	var f struct {
		Name  string            `yaml:"name"`
		Vars  map[string]string `yaml:"vars"`
		Steps []step            `yaml:"steps"`
	}
	if err := doc.Decode(&f); err != nil {
		return nil, err
	}
	j := &Journey{Name: f.Name, steps: f.Steps, secrets: v.Secrets}
	if j.Name == "" {
		j.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	if err := j.check(); err != nil {
		return nil, doc.Locate(err)
	}
	j.maskNames()
	return j, nil
}

// scope returns vars with the file's own variables added, in the order of the file,
// so that one may use those above it.
func scope(doc kind.Node, vars *kind.Vars, given map[string]string) (*kind.Vars, error) {
	v := *vars
	v.Dir, v.Deferred = filepath.Dir(doc.File), nil
	v.Named = maps.Clone(vars.Named)
	if v.Named == nil {
		v.Named = map[string]string{}
	}
	own := doc.Get("vars")
	for name := range given {
		if !own.Has(name) {
			var known []string
			for _, f := range own.Fields {
				known = append(known, f.Key.Text)
			}
			return nil, own.Errorf("%s", kind.UnknownWord("variable", name, known))
		}
	}
	for _, f := range own.Fields {
		if s, ok := given[f.Key.Text]; ok {
			v.Named[f.Key.Text] = s
			continue
		}
		n, err := f.Value.Expand(&v)
		if err != nil {
			return nil, err
		}
		v.Named[f.Key.Text] = n.Text
	}
	return &v, nil
}

func (j *Journey) check() error {
	if len(j.steps) == 0 {
		return kind.At("steps", errors.New("got none, want at least one step"))
	}
	if a := j.steps[0].do[0]; a.kind != "open" {
		return kind.At("steps[0].do[0]", fmt.Errorf("got %s as the journey's first action, want open: it starts on an empty page", a.kind))
	}
	var names []string
	for i, s := range j.steps {
		if slices.Contains(names, s.name) {
			return kind.At(fmt.Sprintf("steps[%d].step", i), fmt.Errorf("got %q a second time, want a name of its own for each step", s.name))
		}
		names = append(names, s.name)
	}
	return nil
}

// maskNames keeps secrets out of what is recorded of every run.
func (j *Journey) maskNames() {
	for i := range j.steps {
		j.steps[i].name = j.secrets.Mask(j.steps[i].name)
		for k := range j.steps[i].do {
			j.steps[i].do[k].name = j.secrets.Mask(j.steps[i].do[k].name)
		}
	}
}

type step struct {
	name              string
	warning, critical time.Duration // 0 is no limit
	timeout           time.Duration // of each action
	do                []action
}

// UnmarshalNode implements [kind.Unmarshaler].
func (s *step) UnmarshalNode(n kind.Node) error {
	var f struct {
		Step     string        `yaml:"step"`
		Warning  time.Duration `yaml:"warning"`
		Critical time.Duration `yaml:"critical"`
		Timeout  time.Duration `yaml:"timeout"`
		Do       []action      `yaml:"do"`
	}
	if err := n.Decode(&f); err != nil {
		return err
	}
	if f.Timeout == 0 {
		f.Timeout = max(patience, f.Warning, f.Critical)
	}
	*s = step{f.Step, f.Warning, f.Critical, f.Timeout, f.Do}
	return n.Locate(s.check())
}

func (s *step) check() error {
	switch {
	case s.name == "":
		return errors.New("got no name, want step: NAME")
	case len(s.do) == 0:
		return kind.At("do", errors.New("got no action, want at least one"))
	case s.critical > 0 && s.warning >= s.critical:
		return kind.At("warning", fmt.Errorf("got %v, want less than critical (%v)", s.warning, s.critical))
	case s.timeout < max(s.warning, s.critical):
		return kind.At("timeout", fmt.Errorf("got %v, want at least the limits (%v), or no action could be that slow",
			s.timeout, max(s.warning, s.critical)))
	}
	return nil
}

type action struct {
	Action
	kind string
	name string
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *action) UnmarshalNode(n kind.Node) error {
	name, act, err := Actions().Build("action", n)
	if err != nil {
		return err
	}
	*a = action{act, name, act.String()}
	return nil
}
