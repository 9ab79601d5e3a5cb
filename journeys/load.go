package journeys

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys/recorder"
)

// patience is how long an action waits for the page where the step does not say.
const patience = 10 * time.Second

// A Journey is a file of steps, read and checked. It is a value that nothing changes.
type Journey struct {
	Name    string // as the file gives it, else the file's name without its suffix
	steps   []step
	limits  limits
	secrets *kind.Secrets
}

// Load reads a journey file. vars are the variables around it; the file's own vars
// are added, and given replaces the values of those. Relative ${file:} paths start at
// the journey file. What is wrong in the file is told with its line and column.
func Load(path string, vars *kind.Vars, given map[string]string) (*Journey, error) {
	j, err := load(filepath.Clean(path), vars, given, nil)
	if err != nil {
		return nil, err
	}
	if err := j.check(); err != nil {
		return nil, err
	}
	j.maskNames()
	return j, nil
}

// load reads a journey file with those in it; within are the files around it.
func load(path string, vars *kind.Vars, given map[string]string, within []string) (*Journey, error) {
	docs, err := parseFile(path)
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
	v.Deferred = storedNames(docs[0])
	if err := checkStored(docs[0], v); err != nil {
		return nil, err
	}
	doc, err := docs[0].Expand(v)
	if err != nil {
		return nil, err
	}
	var f journeyFile
	if err := doc.Decode(&f); err != nil {
		return nil, err
	}
	if len(f.Steps) == 0 {
		return nil, doc.Locate(kind.At("steps", errors.New("got none, want at least one step")))
	}
	most := limits{f.Warning, f.Critical, f.Timeout}
	if err := most.check(); err != nil {
		return nil, doc.Locate(err)
	}
	steps, err := stepsOf(f.Steps, vars, append(slices.Clone(within), path))
	if err != nil {
		return nil, err
	}
	j := &Journey{Name: f.Name, steps: steps, limits: most, secrets: v.Secrets}
	if j.Name == "" {
		j.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	return j, nil
}

// parseFile reads a journey file, or a recording as the journey that it becomes.
func parseFile(path string) ([]kind.Node, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	if !recorder.Recognises(path, text) {
		return kind.Parse(path, text)
	}
	r, err := recorder.Read(path, text)
	return []kind.Node{r.Journey}, err
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
	if err := j.checkFirst(); err != nil {
		return err
	}
	var names []string
	for _, s := range j.steps {
		if slices.Contains(names, s.name) {
			return s.node.Locate(kind.At("step", fmt.Errorf("got %q a second time, want a name of its own for each step", s.name)))
		}
		names = append(names, s.name)
	}
	return nil
}

// checkFirst wants the first action to be open, apart from those that need no page.
func (j *Journey) checkFirst() error {
	for _, s := range j.steps {
		for k, a := range s.do {
			switch a.kind {
			case "open":
				return nil
			case "dialog", "cookie", "header", "viewport", "device", "geolocation", "locale", "timezone", "clock", "network":
				continue
			}
			return s.node.Locate(kind.At(fmt.Sprintf("do[%d]", k),
				fmt.Errorf("got %s before any open, want open: the journey starts on an empty page", a.kind)))
		}
	}
	return j.steps[0].node.Errorf("got no open, want one: the journey starts on an empty page")
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
	node              kind.Node // where it is written
}

// UnmarshalNode implements [kind.Unmarshaler].
func (s *step) UnmarshalNode(n kind.Node) error {
	var f stepFields
	if err := n.Decode(&f); err != nil {
		return err
	}
	if f.Timeout == 0 {
		f.Timeout = max(patience, f.Warning, f.Critical)
	}
	*s = step{f.Step, f.Warning, f.Critical, f.Timeout, f.Do, n}
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
	kind     string
	name     string
	deferred bool      // it has ${} of what is stored in the run
	node     kind.Node // what it is built from once more then
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *action) UnmarshalNode(n kind.Node) error {
	if deferred(n) && !isBlock(n) {
		var err error
		*a, err = buildDeferred(n)
		return err
	}
	name, act, err := Actions().Build("action", n)
	if err != nil {
		return err
	}
	*a = action{Action: act, kind: name, name: act.String()}
	return nil
}
