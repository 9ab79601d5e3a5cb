package scenarios

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// stepLimit is how long a step of setup and teardown may take that says nothing of it.
const stepLimit = 10 * time.Second

// A step is one thing that is done before a scenario, or after it.
type step interface {
	// do does it and saves into values what it is told to, each of them a secret. Its
	// errors may hold secrets.
	do(ctx context.Context, secrets *kind.Secrets, values map[string]string) error
	// limit is how long it may take.
	limit() time.Duration
}

// stepKinds is what a step can be. Commands run in dir.
func stepKinds(dir string) kind.Table[step] {
	return kind.Table[step]{httpStepKind(), execStepKind(dir)}
}

// savedBy are the names of the variables that the setup of a document saves.
func savedBy(doc kind.Node, named map[string]string) (names []string, err error) {
	for _, n := range doc.Get("setup").Items {
		for _, f := range n.Get("http").Get("save").Fields {
			name := f.Key.Text
			_, taken := named[name]
			switch {
			case !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name):
				return nil, f.Key.Errorf("save: got the name %q, want letters, digits and _", name)
			case taken || name == "call" || slices.Contains(names, name):
				return nil, f.Key.Errorf("save: got the name %q, which is taken, want another", name)
			}
			names = append(names, name)
		}
	}
	return names, nil
}

// standIns stand for saved values while the file is checked: for a word or a number.
func (s *Spec) standIns() map[string]string {
	values := map[string]string{}
	for _, name := range s.saves {
		values[name] = "1"
	}
	return values
}

// trySteps builds every step of setup and teardown with values that stand for those
// that are saved before it.
func (s *Spec) trySteps() error {
	values := map[string]string{}
	var errs []error
	for _, n := range s.Setup {
		_, err := s.step(n, values)
		errs = append(errs, err)
		for _, f := range n.Get("http").Get("save").Fields {
			values[f.Key.Text] = "1"
		}
	}
	for _, n := range s.Teardown {
		_, err := s.step(n, values)
		if save := n.Get("http").Get("save"); len(save.Fields) > 0 {
			err = save.Errorf("save: got it in the teardown, want it in setup: nothing comes after that could use it")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Spec) step(n kind.Node, values map[string]string) (step, error) { //nolint:ireturn // one of a kind
	_, st, err := stepKinds(filepath.Dir(s.path)).Build("step", n.Fill(values))
	return st, err
}

// setUp does the setup, if there is one, up to the first step that fails, and builds
// the checks with what it saved.
func (x *experiment) setUp(ctx context.Context) error {
	x.set = true
	for _, n := range x.spec.Setup {
		if err := x.step(ctx, n); err != nil {
			return x.cannot(ctx, "setup", err)
		}
	}
	if err := x.caller.ready(ctx, x.caller.values()); err != nil {
		return x.cannot(ctx, "the target cannot be called", err)
	}
	if len(x.spec.Setup) == 0 {
		return nil
	}
	x.note("setup done: %s", x.spec.stepText(x.spec.Setup))
	checks, err := x.spec.buildChecks(x.saved)
	if err == nil {
		x.runner, err = x.engine.Runner.With(checks...)
	}
	if err != nil {
		return inconclusive("checks, with what the setup saved: %v", err)
	}
	return nil
}

// tearDown does every step of the teardown of a run that came to its setup, also when
// ctx has ended.
func (x *experiment) tearDown(ctx context.Context) {
	x.ended = x.now()
	if !x.set || len(x.spec.Teardown) == 0 {
		return
	}
	var errs []error
	for _, n := range x.spec.Teardown {
		errs = append(errs, x.step(context.WithoutCancel(ctx), n))
	}
	if x.untidy = errors.Join(errs...); x.untidy != nil {
		x.note("teardown failed: %v", x.untidy)
		return
	}
	x.note("teardown done: %s", x.spec.stepText(x.spec.Teardown))
}

// step does one step. Its error shows no secret.
func (x *experiment) step(ctx context.Context, n kind.Node) error {
	st, err := x.spec.step(n, x.saved)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, st.limit())
		defer cancel()
		err = st.do(limited, x.spec.secrets, x.saved)
		if err != nil && limited.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("it took longer than its timeout of %v: %w", st.limit(), err)
		}
	}
	if err != nil {
		return errors.New(x.spec.secrets.Mask(stepText(n) + ": " + err.Error()))
	}
	return nil
}

func (s *Spec) setupTime() time.Duration { return s.stepTime(s.Setup) }

// teardownTime is how long the teardowns of all instances may take together.
func (s *Spec) teardownTime() time.Duration {
	return s.stepTime(s.Teardown) * time.Duration(max(1, len(s.Target.Instances)))
}

func (s *Spec) stepTime(nodes []kind.Node) (sum time.Duration) {
	for _, n := range nodes {
		if st, err := s.step(n, s.standIns()); err == nil {
			sum += st.limit()
		}
	}
	return sum
}

// stepText says what steps do, in the words of the file.
func (s *Spec) stepText(nodes []kind.Node) string {
	var texts []string
	for _, n := range nodes {
		texts = append(texts, stepText(n))
	}
	return s.secrets.Mask(strings.Join(texts, ", then "))
}

func stepText(n kind.Node) string {
	var words []string
	for _, f := range n.Fields { // one
		words = append(words, f.Key.Text)
		args := slices.Concat([]kind.Node{f.Value.Get("method"), f.Value.Get("url")}, f.Value.Items, f.Value.Get("args").Items)
		for _, arg := range args {
			if arg.Text != "" {
				words = append(words, arg.Text)
			}
		}
	}
	return strings.Join(words, " ")
}
