package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/schema"
	"github.com/foreshock/foreshock/journeys"
)

// schemaFiles are the kinds of files that have a schema; the first is the default.
func schemaFiles() []string { return []string{"config", "journey", "scenario"} }

func configSchema(_ context.Context, p *program, args []string) int {
	f := p.newFlags("config schema", "[config|journey|scenario]")
	f.note = "Editors complete and check files by it:\n" +
		"  foreshock config schema journey > journey.schema.json\n" +
		"and, in the first line of a journey file,\n" +
		"  # yaml-language-server: $schema=journey.schema.json"
	words, err := f.parse(args)
	if err != nil {
		return p.refused(err)
	}
	words = append(words, schemaFiles()[0])
	if len(words) > 2 {
		return p.wrong(errors.New("config schema: got more than one word, want config, journey or scenario"))
	}
	if err := p.writeSchema(p.stdout, words[0]); err != nil {
		return p.wrong(err)
	}
	return exitYes
}

// schemaOf makes the schema of a kind of file.
func (p *program) schemaOf(what string) (*kind.Schema, *kind.Schemas, error) {
	g := &kind.Schemas{Comments: schema.Comments()}
	a := p.bare(false)
	switch what {
	case "config":
		return config.Schema(g, a.kinds()), g, nil
	case "journey":
		return journeys.Schema(g), g, nil
	case "scenario":
		return a.loader.Schema(g), g, nil
	}
	return nil, nil, errors.New(kind.UnknownWord("kind of file", what, schemaFiles()))
}

func (p *program) writeSchema(w io.Writer, what string) error {
	s, _, err := p.schemaOf(what)
	if err != nil {
		return err
	}
	s.Comment = "written by foreshock config schema " + what + ", version " + version()
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(s)
}
