package kind

import (
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// aliasLimit is how many values aliases may stand for: ten lines can make billions.
const aliasLimit = 1_000_000

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
			docs, err = nil, &Error{File: file, Line: 1, Col: 1, Msg: "not readable as YAML"}
		}
	}()
	tokens, err := tokenize(file, strings.TrimPrefix(string(text), "\ufeff"))
	if err != nil {
		return nil, err
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntax(file, err)
	}
	for _, d := range tree.Docs {
		if d.Body == nil || d.Body.Type() == ast.DirectiveType {
			continue
		}
		r := reader{file: file, anchors: map[string]anchor{}}
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

// A reader turns one document of the parser's into Nodes.
type reader struct {
	file    string
	anchors map[string]anchor
	values  int // so far, those that aliases stand for included
	aliased int // of values, those that aliases stand for
}

// An anchor is a value that has a name.
type anchor struct {
	Node
	values int // in it
}

func (r *reader) read(n ast.Node) (Node, error) {
	r.values++
	out := r.at(n)
	switch n := n.(type) {
	case *ast.NullNode:
		return out, nil
	case *ast.AnchorNode:
		before := r.values
		v, err := r.read(n.Value)
		r.anchors[n.Name.GetToken().Value] = anchor{v, r.values - before}
		return v, err
	case *ast.AliasNode:
		return r.alias(out, n.Value.GetToken().Value)
	case *ast.TagNode:
		return r.tagged(out, n)
	case *ast.MappingKeyNode:
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
		out.Plain = n.Token.Type != token.SingleQuoteType && n.Token.Type != token.DoubleQuoteType
		return out, nil
	case ast.ScalarNode:
		out.Shape, out.Text, out.Plain = Scalar, n.GetToken().Value, true
		return out, nil
	}
	return out, out.Errorf("got YAML of type %s, want a value, a list or a mapping", n.Type())
}

func (r *reader) alias(at Node, name string) (Node, error) {
	a, ok := r.anchors[name]
	if !ok {
		return at, at.Errorf("no anchor &%s stands before this", name)
	}
	r.values += a.values
	r.aliased += a.values
	if r.aliased > aliasLimit {
		return at, at.Errorf("*%s: got more than %d values through aliases, want fewer", name, aliasLimit)
	}
	return a.Node, nil
}

// tagged knows the one tag that says what quotes say; any other would change the
// meaning of what it stands before.
func (r *reader) tagged(at Node, n *ast.TagNode) (Node, error) {
	tag := n.GetToken().Value
	v, err := r.read(n.Value)
	if err == nil && (tag != "!!str" || v.Shape != Scalar) {
		err = at.Errorf("got the tag %s, want a value without a tag; quote a text", tag)
	}
	v.Plain = false
	return v, err
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
	if len(values) > 0 {
		first := r.at(values[0].Key)
		out.Line, out.Col = first.Line, first.Col
	}
	var merged []Field
	seen := map[string]bool{}
	for _, v := range values {
		value, err := r.read(v.Value)
		if err != nil {
			return out, err
		}
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			fields, err := mergeable(value)
			if err != nil {
				return out, err
			}
			merged = append(merged, fields...)
			continue
		}
		key, err := r.key(v.Key)
		if err != nil {
			return out, err
		}
		if seen[key.Text] {
			return out, key.Errorf("%q stands twice in this mapping", key.Text)
		}
		seen[key.Text] = true
		out.Fields = append(out.Fields, Field{key, value})
	}
	for _, f := range merged { // what stands in the mapping itself wins, then what comes first
		if !seen[f.Key.Text] {
			seen[f.Key.Text] = true
			out.Fields = append(out.Fields, f)
		}
	}
	return out, nil
}

func (r *reader) key(n ast.MapKeyNode) (Node, error) {
	at := r.at(n)
	v, err := r.read(n)
	if err == nil && v.Shape != Scalar {
		err = at.Errorf("got %s as a key, want a word", v.Shape)
	}
	at.Shape, at.Text = Scalar, v.Text
	return at, err
}

// mergeable returns the fields that << brings: those of a mapping, or of several.
func mergeable(n Node) ([]Field, error) {
	switch n.Shape {
	case Mapping:
		return n.Fields, nil
	case List:
		var all []Field
		for _, item := range n.Items {
			if item.Shape != Mapping {
				return nil, item.Errorf("<<: got %s, want a mapping or a list of mappings", item.found())
			}
			all = append(all, item.Fields...)
		}
		return all, nil
	case Null, Scalar:
	}
	return nil, n.Errorf("<<: got %s, want a mapping or a list of mappings", n.found())
}

func (r *reader) at(n ast.Node) Node {
	out := Node{File: r.file, Line: 1, Col: 1}
	if t := n.GetToken(); t != nil {
		out.Line, out.Col = t.Position.Line, t.Position.Column
	}
	return out
}
