package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/journeys"
)

// fileTimeout is how long a journey may take that no configuration times: each of its
// actions has a limit of its own.
const fileTimeout = 5 * time.Minute

// isFileName says that a word looks like the name of a file that can be checked.
func isFileName(word string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json", ".suite"}, filepath.Ext(word))
}

// isFile says that a word of the command line means a file: it looks like one, and is there.
func isFile(word string) bool {
	if !isFileName(word) {
		return false
	}
	info, err := os.Stat(word)
	return err == nil && !info.IsDir()
}

func allFiles(words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !isFileName(w) })
}

// addFiles adds a check for each word that means a journey file, and returns the words
// with the names of those checks in their place.
func (p *program) addFiles(a *app, words []string, given map[string]string) ([]string, error) {
	names := slices.Clone(words)
	files := 0
	for i, word := range words {
		if !isFile(word) {
			continue
		}
		if e, ok := a.runner.Entry(word); ok {
			return nil, fmt.Errorf("got %q, which is a file and a check: ./%s is the file; give the check of kind %s another name", word, word, e.Kind)
		}
		e, err := p.fileEntry(a, word, given)
		if err != nil {
			return nil, err
		}
		if err := a.runner.Add(e); err != nil {
			return nil, err
		}
		names[i] = e.Name
		files++
	}
	if len(given) > 0 && files == 0 {
		return nil, errors.New("--var: got it without a file, want a journey file whose vars it replaces")
	}
	return names, nil
}

// fileEntry is the check that a journey file makes.
func (p *program) fileEntry(a *app, path string, given map[string]string) (runner.Entry, error) {
	if err := otherFile(path); err != nil {
		return runner.Entry{}, err
	}
	j, err := journeys.Load(path, &kind.Vars{Dir: filepath.Dir(path), Env: p.env, Secrets: a.cfg.Secrets}, given)
	if err != nil {
		return runner.Entry{}, err
	}
	e := runner.Entry{Name: j.Name, Kind: "journey", Timeout: fileTimeout, Check: journeys.NewCheck(j, a.pages())}
	if _, taken := a.runner.Entry(e.Name); taken {
		e.Name = path
	}
	p.author.tune(&e)
	return e, nil
}

// otherFile says what to do with a file that is no journey.
func otherFile(path string) error {
	if filepath.Ext(path) == ".suite" {
		return fmt.Errorf("%s: got a suite of Sakuli; foreshock import sakuli %s makes journeys of it", path, filepath.Dir(path))
	}
	docs, err := kind.ParseFile(path)
	if err != nil || len(docs) == 0 {
		return err // what else is wrong is said by who reads it
	}
	has := func(keys ...string) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { return !docs[0].Has(k) })
	}
	switch {
	case has("checks") && !has("target"):
		return fmt.Errorf("%s: got a configuration, want a journey; foreshock check -c %s runs its checks", path, path)
	case has("target", "fault"):
		return fmt.Errorf("%s: got a scenario, want a journey; foreshock scenario run %s runs it", path, path)
	case has("title", "steps"):
		return fmt.Errorf("%s: got a recording of Chrome, want a journey; foreshock import recorder %s makes one of it", path, path)
	}
	return nil
}

// vars are the values of --var, by name.
type vars map[string]string

// String implements [flag.Value].
func (v vars) String() string { return "" }

// Set implements [flag.Value].
func (v vars) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("got %q, want NAME=VALUE", text)
	}
	v[name] = value
	return nil
}
