package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/foreshock/foreshock/breaker/reader"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
)

// compiled is the schema of a kind of file, as editors get it.
func compiled(t *testing.T, what string) *jsonschema.Schema {
	t.Helper()
	var b strings.Builder
	p := &program{env: func(string) (string, bool) { return "", false }}
	if err := p.writeSchema(&b, what); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// holds returns what a schema has against the documents of a file, as editors see them.
func holds(t *testing.T, s *jsonschema.Schema, docs []kind.Node) error {
	t.Helper()
	for _, d := range docs {
		b, err := json.Marshal(d.Value())
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			return err
		}
	}
	return nil
}

// Everything that reads itself says what it reads.
func TestSchemasAreWhole(t *testing.T) {
	t.Parallel()
	for _, what := range schemaFiles() {
		_, g, err := (&program{}).schemaOf(what)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Missing) > 0 {
			t.Errorf("%s: no schema for %s; write NodeSchema beside UnmarshalNode", what, strings.Join(g.Missing, ", "))
		}
	}
}

// What ships, and what the tests hold to be good, is good by the schema.
func TestSchemasTakeWhatIsGood(t *testing.T) {
	t.Parallel()
	for what, patterns := range map[string][]string{
		"config":   {"../../examples/*/foreshock.yaml", "../../deploy/*/foreshock.yaml"},
		"journey":  {"../../examples/*/journeys/*.yaml", "../../journeys/recorder/testdata/*.yaml", "../../journeys/draft/testdata/*.yaml"},
		"scenario": {"../../examples/*/scenarios/*.yaml", "testdata/*.yaml"},
	} {
		s := compiled(t, what)
		for _, pattern := range patterns {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: got %v, %v, want files", pattern, files, err)
			}
			for _, file := range files {
				docs, err := kind.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := holds(t, s, docs); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
}

// Files that are bad in shape are refused by the schema, too. What is wrong in those
// below only shows when values are read: names, limits, expressions, files, variables.
func TestSchemasRefuseWhatIsBad(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, what := range schemaFiles() {
		dir := map[string]string{"config": "testdata/bad", "journey": "../../journeys/testdata/bad", "scenario": "../../scenarios/testdata/bad"}[what]
		s := compiled(t, what)
		files, err := filepath.Glob(dir + "/*.yaml")
		if err != nil || len(files) < 40 {
			t.Fatalf("%s: got %d files, %v, want at least 40", dir, len(files), err)
		}
		for _, file := range files {
			docs, err := kind.ParseFile(file)
			if err != nil {
				continue // no YAML
			}
			if holds(t, s, docs) == nil {
				fmt.Fprintf(&text, "%s %s\n", what, filepath.Base(file))
			}
		}
	}
	proof.Golden(t, "testdata/good-in-shape.txt", text.String())
}

// The example of each kind is good by its schema, as editors show it.
func TestSchemasTakeExamples(t *testing.T) {
	t.Parallel()
	p := &program{env: func(string) (string, bool) { return "", false }}
	kinds := p.bare(false).kinds()
	journey, config, scenario := compiled(t, "journey"), compiled(t, "config"), compiled(t, "scenario")
	for _, k := range journeys.Actions() {
		example(t, journey, k.Name, k.Example, "steps: [{step: s, do: [{%s: %s}]}]")
	}
	for _, k := range kinds.Checks(&kind.Vars{}) {
		example(t, config, k.Name, k.Example, "checks: [{name: c, every: 1m, %s: %s}]")
	}
	for _, k := range kinds.Sinks {
		example(t, config, k.Name, k.Example, "sinks: [{%s: %s}]")
	}
	for _, k := range faults.ScenarioKinds() {
		example(t, scenario, k.Name, k.Example, "{name: s, target: {http: {url: u}}, fault: [{%s: %s}]}")
	}
	for _, k := range reader.Kinds() {
		example(t, scenario, k.Name, k.Example, "{name: s, target: {http: {url: u}}, fault: [{drop: {to: h}}], breaker: {reader: {%s: %s}}}")
	}
}

// example holds a schema to taking the example of a kind where it stands in a file.
func example(t *testing.T, s *jsonschema.Schema, name, text, file string) {
	t.Helper()
	settings, err := kind.Parse(name, []byte(text))
	if err != nil || len(settings) > 1 {
		t.Fatalf("%s: %v", name, err)
	}
	var value any
	if len(settings) == 1 {
		value = settings[0].Value()
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := kind.Parse(name, fmt.Appendf(nil, file, name, b))
	if err != nil {
		t.Fatal(err)
	}
	if err := holds(t, s, docs); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
