package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/foreshock/foreshock/internal/kind"
)

// depthLimit is how deep values may lie within each other.
const depthLimit = 100

// A reader turns JSON into nodes that know where they are.
type reader struct {
	file string
	text []byte
	dec  *json.Decoder

	at, line, col int // a place in text that has been counted: bytes from 0, the others from 1
}

// parse reads one JSON value.
func parse(file string, text []byte) (kind.Node, error) {
	r := &reader{file: file, text: text, dec: json.NewDecoder(bytes.NewReader(text)), line: 1, col: 1}
	r.dec.UseNumber()
	if !utf8.Valid(text) {
		return kind.Node{}, &kind.Error{File: file, Line: 1, Col: 1, Msg: "not JSON: got bytes that are not text in UTF-8; want " + wanted}
	}
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		syntax, ok := errors.AsType[*json.SyntaxError](err)
		if !ok {
			return kind.Node{}, r.node(0).Errorf("not JSON: %w", err)
		}
		return kind.Node{}, r.node(max(0, int(syntax.Offset)-1)).Errorf("not JSON: %w; want %s", syntax, wanted)
	}
	return r.value(0)
}

// node is an empty node at the given byte.
func (r *reader) node(at int) kind.Node {
	at = min(at, len(r.text))
	for r.at < at {
		_, size := utf8.DecodeRune(r.text[r.at:])
		if r.text[r.at] == '\n' {
			r.line, r.col = r.line+1, 0
		}
		r.at, r.col = r.at+size, r.col+1
	}
	return kind.Node{File: r.file, Line: r.line, Col: r.col}
}

// next is an empty node at the token that comes.
func (r *reader) next() kind.Node {
	at := int(r.dec.InputOffset())
	for at < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[at]) >= 0 {
		at++
	}
	return r.node(at)
}

func (r *reader) value(depth int) (kind.Node, error) {
	n := r.next()
	if depth > depthLimit {
		return n, n.Errorf("got values more than %d deep in each other, want fewer", depthLimit)
	}
	t, err := r.dec.Token()
	if err != nil && !errors.Is(err, io.EOF) {
		return n, n.Errorf("not JSON: %w", err)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return r.list(n, depth)
		}
		return r.object(n, depth)
	case string:
		n.Shape, n.Text = kind.Scalar, t
	case json.Number:
		n.Shape, n.Text, n.Plain = kind.Scalar, t.String(), true
	case bool:
		n.Shape, n.Text, n.Plain = kind.Scalar, "false", true
		if t {
			n.Text = "true"
		}
	}
	return n, nil
}

func (r *reader) list(n kind.Node, depth int) (kind.Node, error) {
	n.Shape = kind.List
	for r.dec.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.Items = append(n.Items, item)
	}
	_, err := r.dec.Token()
	return n, err
}

func (r *reader) object(n kind.Node, depth int) (kind.Node, error) {
	n.Shape = kind.Mapping
	seen := map[string]bool{}
	for r.dec.More() {
		key, err := r.value(depth + 1)
		if err != nil {
			return n, err
		}
		if seen[key.Text] {
			return n, key.Errorf("%q stands twice in this object", key.Text)
		}
		seen[key.Text] = true
		v, err := r.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.Fields = append(n.Fields, kind.Field{Key: key, Value: v})
	}
	_, err := r.dec.Token()
	return n, err
}
