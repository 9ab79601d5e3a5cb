// Package config reads foreshock.yaml: strictly, with the place of every error. It
// has no settings of its own that a kind could own, and it must never start anything.
package config

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/internal/vault"
	"github.com/foreshock/foreshock/results"
)

// DefaultListen is where dashboard and API listen if nothing is said.
const DefaultListen = "127.0.0.1:8440"

// A Config is what a foreshock.yaml says.
type Config struct {
	Path     string
	Location string
	Listen   string // host:port of dashboard and API
	Store    string // path of the SQLite file
	Evidence int64  // bytes of evidence that it keeps
	Entries  []run.Entry
	Sinks    []Sink
	Secrets  *kind.Secrets
}

// A Sink is one entry of sinks.
type Sink struct {
	Name string
	results.Sink
}

// Kinds makes the tables of what a configuration can name. They are functions of the
// variables, since what they build may read files that have ${} in them.
type Kinds struct {
	Checks  func(*kind.Vars) kind.Table[results.Check]
	Sinks   kind.Table[results.Sink]
	Browser func(kind.Node) error // takes the settings of the browser, before any check is built
	// BrowserSchema is the schema of what Browser takes.
	BrowserSchema func(*kind.Schemas) *kind.Schema
}

// file is the shape of foreshock.yaml.
type file struct {
	Location  string      `yaml:"location"`   // where the checks look from
	Listen    string      `yaml:"listen"`     // HOST:PORT of dashboard, API and metrics
	SecretEnv []string    `yaml:"secret_env"` // environment variables whose values no output may show
	Store     store       `yaml:"store"`      // where results are kept
	Browser   kind.Node   `yaml:"browser"`    // the browser of journeys
	Checks    []kind.Node `yaml:"checks"`     // what is looked at
	Sinks     []kind.Node `yaml:"sinks"`      // where results go beside the store
}

type store struct {
	SQLite sqlite `yaml:"sqlite"`
}

type sqlite struct {
	Path     kind.Path `yaml:"path"`
	Evidence int64     `yaml:"evidence_mib"` // how much is kept; the oldest goes first
}

const (
	defaultEvidence = 1024 // MiB
	leastEvidence   = 64   // MiB: of one journey's run it is at most 4
)

// Load reads the file at path. env looks up environment variables. The error holds
// everything that is wrong, a line each.
func Load(path string, kinds Kinds, env func(string) (string, bool)) (*Config, error) {
	docs, err := kind.ParseFile(path)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%s: got %d YAML documents, want one", path, len(docs))
	}
	vars := &kind.Vars{Dir: filepath.Dir(path), Env: env, Secrets: &kind.Secrets{}, Vault: vault.From(env)}
	if vars.Secret, err = secretEnv(docs[0]); err != nil {
		return nil, err
	}
	doc, err := docs[0].Expand(vars)
	if err != nil {
		return nil, err
	}
	f := file{Location: "local", Listen: DefaultListen}
	f.Store.SQLite.Path = kind.Path(filepath.Join(filepath.Dir(path), "foreshock.db"))
	f.Store.SQLite.Evidence = defaultEvidence
	if err := doc.Decode(&f); err != nil {
		return nil, err
	}
	c := &Config{
		Path: path, Location: f.Location, Listen: f.Listen, Secrets: vars.Secrets,
		Store: string(f.Store.SQLite.Path), Evidence: f.Store.SQLite.Evidence << 20,
	}
	if doc.Has("browser") {
		err = kinds.Browser(f.Browser)
	}
	return c, errors.Join(c.validate(doc), err, c.checks(f.Checks, kinds.Checks(vars)), c.sinks(f.Sinks, kinds.Sinks))
}

// secretEnv reads secret_env ahead of the rest, whose values it is about.
func secretEnv(doc kind.Node) ([]string, error) {
	if doc.Shape != kind.Mapping {
		return nil, nil // what is wrong is said of the whole
	}
	doc.Fields = slices.DeleteFunc(slices.Clone(doc.Fields), func(f kind.Field) bool { return f.Key.Text != "secret_env" })
	var only struct {
		Names []string `yaml:"secret_env"`
	}
	err := doc.Decode(&only)
	return only.Names, err
}

func (c *Config) validate(doc kind.Node) error {
	if c.Location == "" {
		return doc.Get("location").Errorf("location: got nothing, want the name of the place that looks from here")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return doc.Get("listen").Errorf("listen: got %q, want HOST:PORT such as 127.0.0.1:8440", c.Listen)
	}
	if c.Evidence < leastEvidence<<20 {
		return doc.Get("store").Get("sqlite").Get("evidence_mib").Errorf("evidence_mib: got %d, want %d or more", c.Evidence>>20, leastEvidence)
	}
	return nil
}

func (c *Config) checks(nodes []kind.Node, table kind.Table[results.Check]) error {
	var errs []error
	seen := map[string]int{}
	for _, n := range nodes {
		e, err := Check(n, table, true)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if line, dup := seen[e.Name]; dup {
			errs = append(errs, n.Get("name").Errorf("name: got %q, which the check at line %d has already", e.Name, line))
			continue
		}
		seen[e.Name] = n.Line
		c.Entries = append(c.Entries, e)
	}
	return errors.Join(errs...)
}

func (c *Config) sinks(nodes []kind.Node, table kind.Table[results.Sink]) error {
	var errs []error
	for _, n := range nodes {
		name, s, err := table.Build("sink", n)
		if err == nil && slices.ContainsFunc(c.Sinks, func(s Sink) bool { return s.Name == name }) {
			err = n.Errorf("got a second sink %q, want each once", name)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c.Sinks = append(c.Sinks, Sink{name, s})
	}
	return errors.Join(errs...)
}
