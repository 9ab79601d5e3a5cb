package scenarios

import (
	"github.com/foreshock/foreshock/breaker/reader"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/kind"
)

// Schema is the schema of one document of a scenario file.
func (l Loader) Schema(g *kind.Schemas) *kind.Schema {
	steps := kind.ListSchema(stepKinds("").Schema(g), 0)
	d := defaults()
	s := g.Fields(d, map[string]*kind.Schema{
		"setup": steps, "teardown": steps,
		"checks": kind.ListSchema(config.CheckSchema(g, l.Checks(&kind.Vars{})), 0),
		"fault":  kind.ListSchema(faults.ScenarioKinds().Schema(g), 1),
		"breaker": g.Fields(d.Breaker, map[string]*kind.Schema{
			"scope":  kind.WordsSchema(scopeInstance, scopeShared, scopeHost),
			"reader": reader.Kinds().Schema(g),
		}),
	})
	s.Required = []string{"name", "target", "fault"}
	return g.Finish(s, "Foreshock scenario", "What is broken on purpose, and what the circuit breaker promises to do then.")
}
