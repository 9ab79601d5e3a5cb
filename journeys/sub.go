package journeys

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// A sub is a step that is a journey file of its own.
type sub struct {
	File kind.Path         `yaml:"file"`
	Vars map[string]string `yaml:"vars"` // replace values of the file's own
}

// UnmarshalNode implements [kind.Unmarshaler].
func (s *sub) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.Scalar {
		return s.File.UnmarshalNode(n)
	}
	type whole sub
	if err := n.Decode((*whole)(s)); err != nil {
		return err
	}
	if s.File == "" {
		return n.Locate(kind.At("file", errors.New("got none, want the path of a journey file")))
	}
	return nil
}

// NodeSchema implements [kind.Describer].
func (s *sub) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(g.Of(s.File), g.Fields(*s, nil))
}

// subStep is a step that is another journey, as it is written.
type subStep struct {
	Step    string `yaml:"step"`    // its name, before those of the steps in the file
	Journey sub    `yaml:"journey"` // the journey file whose steps stand here
}

// stepsOf decodes the items of steps, and puts the steps of other journey files where
// they are named. within are the files around this one, which must not come again.
func stepsOf(list []kind.Node, vars *kind.Vars, within []string) ([]step, error) {
	var steps []step
	for _, n := range list {
		if !n.Has("journey") {
			var s step
			if err := n.Decode(&s); err != nil {
				return nil, err
			}
			steps = append(steps, s)
			continue
		}
		var f subStep
		if err := n.Decode(&f); err != nil {
			return nil, err
		}
		if f.Step == "" {
			return nil, n.Errorf("got no name, want step: NAME")
		}
		path := string(f.Journey.File)
		if slices.Contains(within, path) {
			return nil, n.Locate(kind.At("journey", fmt.Errorf("got %s inside itself: %s", path, strings.Join(append(within, path), " -> "))))
		}
		inner, err := load(path, vars, f.Journey.Vars, within)
		if err != nil {
			return nil, n.Locate(err)
		}
		for _, s := range inner.steps {
			s.name = f.Step + ": " + s.name
			steps = append(steps, s)
		}
	}
	return steps, nil
}
