// Package kind is the project's one extension mechanism: a kind is a name, a line
// of help, a working example and a constructor whose settings are decoded strictly.
// Probes, faults, journey actions and sinks are tables of kinds. The package also
// owns all reading of YAML, with the place of every value; it must never know any
// kind by name.
package kind

import "slices"

// A Kind makes values of type T from one block of configuration.
type Kind[T any] struct {
	Name    string // the key that selects it
	Summary string // one line, for help and the reference page
	Example string // YAML of the block, which must build; the tests build it
	build   func(Node) (T, error)
	schema  func(*Schemas) *Schema
}

// Of returns a Kind whose settings start as defaults, are decoded over, and are then
// handed to build, which validates them. build names a wrong key with [At].
func Of[S, T any](name, summary, example string, defaults S, build func(S) (T, error)) Kind[T] {
	read := func(n Node) (T, error) {
		settings := defaults
		var zero T
		if err := n.Decode(&settings); err != nil {
			return zero, err
		}
		v, err := build(settings)
		if err != nil {
			return zero, n.Locate(err)
		}
		return v, nil
	}
	return Kind[T]{name, summary, example, read, func(g *Schemas) *Schema { return g.Of(defaults) }}
}

// A Table lists the kinds of one axis. It is a plain value: no registry, no init.
type Table[T any] []Kind[T]

// Names lists the kinds in table order.
func (t Table[T]) Names() []string {
	names := make([]string, len(t))
	for i, k := range t {
		names[i] = k.Name
	}
	return names
}

// Build builds the one field of n, such as {tcp: {address: ...}}: its key is the
// kind and its value the settings. what names the axis in errors, such as "fault".
func (t Table[T]) Build(what string, n Node) (name string, v T, err error) {
	if n.Shape != Mapping || len(n.Fields) != 1 {
		return "", v, n.Errorf("got %s, want one %s: %s", describe(n), what, list(t.Names()))
	}
	return t.BuildField(what, n.Fields[0])
}

// BuildField is Build for a field that was taken out of a larger mapping.
func (t Table[T]) BuildField(what string, f Field) (name string, v T, err error) {
	i := slices.Index(t.Names(), f.Key.Text)
	if i < 0 {
		return "", v, f.Key.Errorf("%s", UnknownWord(what, f.Key.Text, t.Names()))
	}
	v, err = t[i].build(f.Value)
	return t[i].Name, v, err
}

// BuildText builds the kind called name from the YAML text of its settings.
func (t Table[T]) BuildText(name, text string) (T, error) {
	var zero T
	docs, err := Parse(name, []byte(text))
	if err != nil {
		return zero, err
	}
	start := Node{File: name, Line: 1, Col: 1}
	f := Field{Key: start, Value: start}
	f.Key.Shape, f.Key.Text = Scalar, name
	switch len(docs) {
	case 0:
	case 1:
		f.Value = docs[0]
	default:
		return zero, docs[1].Errorf("got a second YAML document, want one")
	}
	_, v, err := t.BuildField("kind", f)
	return v, err
}

// Split takes the fields of a mapping apart: those that common names are decoded
// into it, and the one other is returned: it selects a kind out of kinds.
func Split(n Node, common any, what string, kinds []string) (Field, error) {
	if n.Shape != Mapping {
		return Field{}, n.Errorf("got %s, want a mapping", n.found())
	}
	commonKeys := keysOfPointer(common)
	var rest []Field
	own := n
	own.Fields = nil
	for _, f := range n.Fields {
		if slices.Contains(commonKeys, f.Key.Text) {
			own.Fields = append(own.Fields, f)
			continue
		}
		if !slices.Contains(kinds, f.Key.Text) {
			return Field{}, f.Key.Errorf("%s", UnknownWord("key", f.Key.Text, slices.Concat(commonKeys, kinds)))
		}
		rest = append(rest, f)
	}
	if err := own.Decode(common); err != nil {
		return Field{}, err
	}
	switch len(rest) {
	case 0:
		return Field{}, n.Errorf("got no %s, want one of %s", what, list(kinds))
	case 1:
		return rest[0], nil
	}
	return Field{}, rest[1].Key.Errorf("got a second %s %q beside %q, want one", what, rest[1].Key.Text, rest[0].Key.Text)
}

func describe(n Node) string {
	switch {
	case n.Shape != Mapping:
		return n.found()
	case len(n.Fields) == 0:
		return "an empty mapping"
	}
	return "several: " + list(keysIn(n))
}

func keysIn(n Node) []string {
	keys := make([]string, len(n.Fields))
	for i, f := range n.Fields {
		keys[i] = f.Key.Text
	}
	return keys
}

func keysOfPointer(v any) []string { return keysOf(typeOf(v)) }
