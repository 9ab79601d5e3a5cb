package journeys

import (
	"maps"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// journeyFile is a journey as it is written.
type journeyFile struct {
	Name     string            `yaml:"name"`     // in results; the file's name without it
	Vars     map[string]string `yaml:"vars"`     // variables: ${base} is the value of base
	Warning  time.Duration     `yaml:"warning"`  // a journey that takes longer is a warning
	Critical time.Duration     `yaml:"critical"` // a journey that takes longer is critical
	Timeout  time.Duration     `yaml:"timeout"`  // how long the whole journey may take, within the check's
	Steps    []kind.Node       `yaml:"steps"`    // what the user does, in turn
}

// stepFields are a step as it is written.
type stepFields struct {
	Step     string        `yaml:"step"`     // its name, which no other step has
	Warning  time.Duration `yaml:"warning"`  // a step that takes longer is a warning
	Critical time.Duration `yaml:"critical"` // a step that takes longer makes the journey critical
	Timeout  time.Duration `yaml:"timeout"`  // how long each action waits for the page (10s)
	Do       []action      `yaml:"do"`       // the actions of the step, in turn
}

// Schema is the schema of a journey file.
func Schema(g *kind.Schemas) *kind.Schema {
	step := g.Fields(stepFields{}, nil)
	step.Properties["do"].MinItems = 1
	within := g.Fields(subStep{}, nil)
	maps.Copy(step.Properties, within.Properties)
	step.Required = []string{"step"}
	step.OneOf = []*kind.Schema{{Required: []string{"do"}}, {Required: []string{"journey"}}}
	s := g.Fields(journeyFile{}, map[string]*kind.Schema{"steps": kind.ListSchema(step, 1)})
	s.Required = []string{"steps"}
	return g.Finish(s, "Foreshock journey", "A user's way through a web application, step by step.")
}

// NodeSchema implements [kind.Describer].
func (a *action) NodeSchema(g *kind.Schemas) *kind.Schema {
	return g.Def("action", func() *kind.Schema { return Actions().Schema(g) })
}
