package kind

import (
	"slices"
	"strconv"
	"strings"
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

	secrets *Secrets // what no error about this node may show; set by Expand
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

// Get returns the value of a key, or a Null node at the mapping's place.
func (n Node) Get(key string) Node {
	for _, f := range n.Fields {
		if f.Key.Text == key {
			return f.Value
		}
	}
	return Node{File: n.File, Line: n.Line, Col: n.Col, secrets: n.secrets}
}

// Has reports whether the mapping has the key.
func (n Node) Has(key string) bool {
	return slices.ContainsFunc(n.Fields, func(f Field) bool { return f.Key.Text == key })
}

// find follows a path such as "expect.status" or "calls[2].to" as far as it goes and
// returns the place of its last key.
func (n Node) find(path string) Node {
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(n.Items) {
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

// found says what the node holds: of a long text the start, and no secret, of which a
// part would be left otherwise.
func (n Node) found() string {
	const limit = 100
	if n.Shape != Scalar {
		return n.Shape.String()
	}
	text := n.secrets.Mask(n.Text)
	if len(text) > limit {
		return strconv.Quote(strings.ToValidUTF8(text[:limit], "")) + "..."
	}
	return strconv.Quote(text)
}
