package config

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// Schema is the schema of a foreshock.yaml that can name kinds.
func Schema(g *kind.Schemas, kinds Kinds) *kind.Schema {
	check := CheckSchema(g, kinds.Checks(&kind.Vars{}))
	when := &kind.Schema{OneOf: []*kind.Schema{{Required: []string{"every"}}, {Required: []string{"cron"}}}}
	check.AnyOf = []*kind.Schema{when} // oneOf is taken: by the kinds
	parts := map[string]*kind.Schema{
		"checks": kind.ListSchema(check, 0),
		"sinks":  kind.ListSchema(kinds.Sinks.Schema(g), 0),
	}
	if kinds.BrowserSchema != nil {
		parts["browser"] = kinds.BrowserSchema(g)
	}
	s := g.Fields(file{Location: "local", Listen: DefaultListen}, parts)
	return g.Finish(s, "Foreshock configuration", "What is checked, when, and where results go.")
}

// CheckSchema is the schema of one entry of checks, as [Check] reads it.
func CheckSchema(g *kind.Schemas, table kind.Table[results.Check]) *kind.Schema {
	s := table.SplitSchema(g, common{})
	s.Required = []string{"name"}
	return s
}
