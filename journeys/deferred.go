package journeys

import (
	"errors"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// storedNames lists the names that store actions in n give to what they keep.
func storedNames(n kind.Node) []string {
	var names []string
	for _, item := range n.Items {
		names = append(names, storedNames(item)...)
	}
	for _, f := range n.Fields {
		if as := f.Value.Get("as"); f.Key.Text == "store" && as.Shape == kind.Scalar {
			names = append(names, as.Text)
		}
		names = append(names, storedNames(f.Value)...)
	}
	return names
}

// checkStored wants no name to mean both a variable and something stored.
func checkStored(doc kind.Node, vars *kind.Vars) error {
	for _, name := range vars.Deferred {
		if _, ok := vars.Named[name]; ok {
			return doc.Get("steps").Errorf("store as %s: it is already a variable, want a name of its own", name)
		}
	}
	return nil
}

func deferred(n kind.Node) bool {
	return n.Deferred || slices.ContainsFunc(n.Items, deferred) ||
		slices.ContainsFunc(n.Fields, func(f kind.Field) bool { return deferred(f.Value) })
}

// filled returns n with its ${} replaced by what value gives for them.
func filled(n kind.Node, value func(name string) (string, error)) (kind.Node, error) {
	var err error
	if n.Deferred {
		n.Text, err = kind.Fill(n.Text, value)
		n.Deferred = false
		return n, err
	}
	n.Items, n.Fields = slices.Clone(n.Items), slices.Clone(n.Fields)
	for i := range n.Items {
		if n.Items[i], err = filled(n.Items[i], value); err != nil {
			return n, err
		}
	}
	for i := range n.Fields {
		if n.Fields[i].Value, err = filled(n.Fields[i].Value, value); err != nil {
			return n, err
		}
	}
	return n, nil
}

// buildDeferred builds an action whose settings are not all known yet with values that
// might come, so that what else is wrong is told at load.
func buildDeferred(n kind.Node) (action, error) {
	var first error
	for _, might := range []func(name string) string{
		func(name string) string { return "${" + name + "}" },
		func(string) string { return "1" },
		func(string) string { return "http://stored.test/" },
	} {
		sample, err := filled(n, func(name string) (string, error) { return might(name), nil })
		if err != nil {
			return action{}, n.Errorf("%w", err)
		}
		name, act, err := Actions().Build("action", sample)
		if err == nil {
			return action{act, name, act.String(), true, n}, nil
		}
		if first == nil {
			first = err
		}
	}
	return action{}, first
}

// ready returns the action to do now, with what was stored so far.
func (a action) ready(value func(name string) (string, error)) (action, error) {
	if !a.deferred {
		return a, nil
	}
	n, err := filled(a.node, value)
	if err != nil {
		return a, results.Blind(results.CauseInternal, err)
	}
	_, a.Action, err = Actions().Build("action", n)
	if err != nil {
		return a, results.Blind(results.CauseInternal, errors.New("with what was stored: "+err.Error()))
	}
	return a, nil
}
