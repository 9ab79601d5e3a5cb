// Package recorder reads recordings of the Chrome DevTools Recorder: JSON with a title
// and steps. A recording becomes a journey, as a tree that the journeys package loads
// and that can be written as YAML: there is no second way to run it. Every value keeps
// the place in the recording that it came from. The package must never leave out a step
// or an assertion without a word, and never put a typed value into a name, a warning or
// an error.
package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Recording is a recording that has been read.
type Recording struct {
	Journey  kind.Node // a journey file, as journeys.Load reads it
	Warnings []Warning // what whoever imports it should know, in the order of the steps
}

// A Warning is something about one step that a person should look at.
type Warning struct {
	File      string
	Line, Col int
	Text      string // names the step; never a typed value
}

// String gives file:line:column: text, as editors read it.
func (w Warning) String() string { return fmt.Sprintf("%s:%d:%d: %s", w.File, w.Line, w.Col, w.Text) }

// Recognises reports whether the file at path with this text is meant as a recording
// rather than as a journey file, which may be written as JSON too.
func Recognises(path string, text []byte) bool {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if !json.Valid(text) {
		return strings.EqualFold(filepath.Ext(path), ".json")
	}
	var f struct {
		Title json.RawMessage              `json:"title"`
		Steps []map[string]json.RawMessage `json:"steps"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return !bytes.HasPrefix(text, []byte(`"`)) // of another shape than a journey
	}
	for _, s := range f.Steps {
		if s["step"] != nil || s["journey"] != nil {
			return false
		}
	}
	return f.Title != nil || len(f.Steps) > 0 || !bytes.Contains(text, []byte(`"name"`)) || foreign(text) != ""
}

// Read reads a recording; file is the name that errors and warnings give.
func Read(file string, text []byte) (Recording, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if what := foreign(text); what != "" {
		return Recording{}, &kind.Error{File: file, Line: 1, Col: 1, Msg: fmt.Sprintf("got %s, want %s", what, wanted)}
	}
	n, err := parse(file, text)
	if err != nil {
		return Recording{}, err
	}
	if n.Shape != kind.Mapping {
		return Recording{}, n.Errorf("got %s, want %s", n.Shape, wanted)
	}
	f := &flow{}
	j, err := f.journey(n)
	return Recording{Journey: j, Warnings: f.warnings}, err
}

const wanted = `a recording of the Chrome DevTools Recorder, exported as JSON: {"title": ..., "steps": [...]}`

// A flow is a recording on its way to becoming a journey.
type flow struct {
	timeout  amount   // milliseconds; 0 is not said
	targets  []string // the pages through which the steps went to the one they are in; none is main
	closed   int      // the step that closed main
	opened   bool
	extra    []string // keys that no recording has
	warnings []Warning
}

func (f *flow) warn(at kind.Node, format string, args ...any) {
	f.warnings = append(f.warnings, Warning{at.File, at.Line, at.Col, fmt.Sprintf(format, args...)})
}

func (f *flow) journey(n kind.Node) (kind.Node, error) {
	var r struct {
		Title   literal     `yaml:"title"`
		Timeout amount      `yaml:"timeout"`
		Steps   []kind.Node `yaml:"steps"`

		SelectorAttribute literal `yaml:"selectorAttribute"` // says how selectors were made; they are all there
	}
	if err := f.decode(n, "the recording", &r); err != nil {
		return kind.Node{}, err
	}
	switch {
	case !n.Has("title") && !n.Has("steps"):
		return kind.Node{}, n.Errorf("got neither title nor steps, want %s", wanted)
	case len(r.Steps) == 0:
		return kind.Node{}, n.Locate(kind.At("steps", errors.New("got none, want at least one step")))
	case r.Timeout < 0:
		return kind.Node{}, n.Locate(kind.At("timeout", fmt.Errorf("got %v, want milliseconds", r.Timeout)))
	}
	f.timeout = r.Timeout
	var steps []kind.Node
	for i, s := range r.Steps {
		done, err := f.step(s, i+1)
		if err != nil {
			return kind.Node{}, err
		}
		steps = append(steps, done...)
	}
	if len(steps) == 0 {
		return kind.Node{}, n.Locate(kind.At("steps", errors.New("got only steps that do nothing here, want at least one that navigates to a page")))
	}
	out := mapping(n, field("steps", list(n.Get("steps"), steps...)))
	if title := strings.Join(strings.Fields(string(r.Title)), " "); title != "" {
		out.Fields = append([]kind.Field{field("name", text(n.Get("title"), title))}, out.Fields...)
	}
	return out, nil
}

// decode fills v from the keys of n that it knows. Recorders and their extensions add
// keys of their own, which are told of and left out; what looks like a slip is an error.
func (f *flow) decode(n kind.Node, whose string, v any) error {
	known := keysOf(v)
	kept := n
	kept.Fields = nil
	for _, field := range n.Fields {
		switch key := field.Key.Text; {
		case contains(known, key):
			if field.Value.Shape != kind.Null {
				kept.Fields = append(kept.Fields, field)
			}
		case kind.Nearest(key, known) != "":
			return field.Key.Errorf("%s: unknown key %q; did you mean %q?", whose, key, kind.Nearest(key, known))
		case !contains(f.extra, key):
			f.extra = append(f.extra, key)
			f.warn(field.Key, "%s: the key %q is not one of a recording and is left out, here and where it comes again", whose, short(key))
		}
	}
	if err := kept.Decode(v); err != nil {
		return prefixed(whose, err)
	}
	return nil
}

// prefixed says whose error it is, behind its place.
func prefixed(whose string, err error) error {
	placed, ok := errors.AsType[*kind.Error](err)
	if !ok || whose == "the recording" {
		return err
	}
	return &kind.Error{File: placed.File, Line: placed.Line, Col: placed.Col, Msg: whose + ": " + placed.Msg}
}
