package kind

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A Node is one value of a YAML file with its place. It is a value: what is built
// from it keeps no tie to the file.
type Node struct {
	File      string
	Line, Col int // from 1
	Shape     Shape
	Text      string // of a scalar
	Plain     bool   // a scalar without quotes, which may be a number or a bool
	Deferred  bool   // Text still has ${} for a Template to fill
	Items     []Node // of a list
	Fields    []Field
}

// A Field is one key of a mapping and its value.
type Field struct {
	Key   Node
	Value Node
}

// Shape tells what a Node holds.
type Shape uint8

// The shapes; the zero Node is an absent value.
const (
	Null Shape = iota
	Scalar
	List
	Mapping
)

func (s Shape) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[s]
}

// ParseFile reads the YAML documents of a file.
func ParseFile(path string) ([]Node, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse reads the YAML documents of text; file is the name that errors give. It
// never panics, and an empty document is left out.
func Parse(file string, text []byte) (docs []Node, err error) {
	defer func() { // the parser is not ours, and a broken file must not end the program
		if p := recover(); p != nil {
			err = &Error{File: file, Line: 1, Col: 1, Msg: fmt.Sprintf("not readable as YAML: %v", p)}
		}
	}()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntax(file, err)
	}
	for _, d := range tree.Docs {
		if d.Body == nil {
			continue
		}
		r := reader{file: file, anchors: map[string]Node{}}
		n, err := r.read(d.Body)
		if err != nil {
			return nil, err
		}
		if n.Shape != Null {
			docs = append(docs, n)
		}
	}
	return docs, nil
}

// syntax keeps the parser's message and place, and drops the lines of the file that
// it prints around them: they may hold secrets.
func syntax(file string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return &Error{File: file, Line: 1, Col: 1, Msg: "not readable as YAML"}
	}
	p := y.GetToken().Position
	return &Error{File: file, Line: p.Line, Col: p.Column, Msg: "not readable as YAML: " + y.GetMessage()}
}

type reader struct {
	file    string
	anchors map[string]Node
}

func (r *reader) read(n ast.Node) (Node, error) {
	out := r.at(n)
	switch n := n.(type) {
	case *ast.NullNode:
		return out, nil
	case *ast.AnchorNode:
		v, err := r.read(n.Value)
		r.anchors[n.Name.GetToken().Value] = v
		return v, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		v, ok := r.anchors[name]
		if !ok {
			return out, out.Errorf("no anchor &%s stands before this", name)
		}
		return v, nil
	case *ast.TagNode:
		return r.read(n.Value)
	case *ast.SequenceNode:
		return r.list(out, n)
	case *ast.MappingNode:
		return r.mapping(out, n.Values)
	case *ast.MappingValueNode:
		return r.mapping(out, []*ast.MappingValueNode{n})
	case *ast.LiteralNode:
		out.Shape, out.Text = Scalar, n.Value.Value
		return out, nil
	case *ast.StringNode:
		out.Shape, out.Text = Scalar, n.Value
		q := n.GetToken().Origin
		out.Plain = !strings.HasPrefix(strings.TrimSpace(q), `"`) && !strings.HasPrefix(strings.TrimSpace(q), "'")
		return out, nil
	case ast.ScalarNode:
		out.Shape, out.Text, out.Plain = Scalar, n.GetToken().Value, true
		return out, nil
	}
	return out, out.Errorf("got YAML of type %s, want a value, a list or a mapping", n.Type())
}

func (r *reader) list(out Node, n *ast.SequenceNode) (Node, error) {
	out.Shape = List
	for _, v := range n.Values {
		item, err := r.read(v)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func (r *reader) mapping(out Node, values []*ast.MappingValueNode) (Node, error) {
	out.Shape = Mapping
	var merged []Field
	for _, v := range values {
		value, err := r.read(v.Value)
		if err != nil {
			return out, err
		}
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, value.Fields...)
			continue
		}
		key := r.at(v.Key)
		key.Shape, key.Text = Scalar, v.Key.GetToken().Value
		if out.Has(key.Text) {
			return out, key.Errorf("%q stands twice in this mapping", key.Text)
		}
		out.Fields = append(out.Fields, Field{key, value})
	}
	for _, f := range merged { // what stands in the mapping itself wins
		if !out.Has(f.Key.Text) {
			out.Fields = append(out.Fields, f)
		}
	}
	if len(out.Fields) > 0 {
		out.Line, out.Col = out.Fields[0].Key.Line, out.Fields[0].Key.Col
	}
	return out, nil
}

func (r *reader) at(n ast.Node) Node {
	out := Node{File: r.file, Line: 1, Col: 1}
	if t := n.GetToken(); t != nil {
		out.Line, out.Col = t.Position.Line, t.Position.Column
	}
	return out
}

// Get returns the value of a key, or a Null node at the mapping's place.
func (n Node) Get(key string) Node {
	for _, f := range n.Fields {
		if f.Key.Text == key {
			return f.Value
		}
	}
	return Node{File: n.File, Line: n.Line, Col: n.Col}
}

// Has reports whether the mapping has the key.
func (n Node) Has(key string) bool {
	return slices.ContainsFunc(n.Fields, func(f Field) bool { return f.Key.Text == key })
}

// find follows a path such as "expect.status" or "calls[2].to" as far as it goes and
// returns the place of its last key.
func (n Node) find(path string) Node {
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		var i int
		if _, err := fmt.Sscanf(part, "%d", &i); err == nil && n.Shape == List && i < len(n.Items) {
			n = n.Items[i]
			continue
		}
		if !n.Has(part) {
			return n
		}
		n = n.Get(part)
	}
	return n
}

// Errorf makes an error at the node's place.
func (n Node) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{File: n.File, Line: n.Line, Col: n.Col, Msg: err.Error(), err: err}
}

// An Error is what is wrong at one place of a file.
type Error struct {
	File      string
	Line, Col int
	Msg       string // what was found and what was expected
	err       error
}

// Error gives file:line:column: message, as editors read it.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg) }

// Unwrap returns the cause, if it was an error.
func (e *Error) Unwrap() error { return e.err }

// At says that err concerns the key at path, such as "expect.status", of the
// settings a kind was built from, so that the message can point there.
func At(path string, err error) error { return &pathError{path, err} }

type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }

// Locate turns an error of building something from n into one with a place: the
// key that At named, or n itself.
func (n Node) Locate(err error) error {
	var placed *Error
	if err == nil || errors.As(err, &placed) {
		return err
	}
	at, inner := n, err
	for { // one path may lie inside another
		p, ok := errors.AsType[*pathError](inner)
		if !ok {
			return at.Errorf("%w", err)
		}
		at, inner = at.find(p.path), p.err
	}
}
