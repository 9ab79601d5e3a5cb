package recorder

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// A literal is a text as it stands in a recording: JSON quotes it.
type literal string

// UnmarshalNode implements [kind.Unmarshaler].
func (l *literal) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.Scalar || n.Plain {
		what := n.Shape.String()
		if n.Plain {
			what = n.Text
		}
		return n.Errorf("got %s, want a text in quotes", what)
	}
	*l = literal(n.Text)
	return nil
}

// text is a value at a place of the recording. A dollar in it is a dollar.
func text(at kind.Node, s string) kind.Node {
	return kind.Node{File: at.File, Line: at.Line, Col: at.Col, Shape: kind.Scalar, Text: strings.ReplaceAll(s, "$", "$$")}
}

func plain(at kind.Node, s string) kind.Node {
	n := text(at, s)
	n.Plain = true
	return n
}

func number(at kind.Node, f float64) kind.Node {
	return plain(at, strconv.FormatFloat(f, 'f', -1, 64))
}

func boolean(at kind.Node, b bool) kind.Node { return plain(at, strconv.FormatBool(b)) }

// millis is a time in milliseconds.
func millis(at kind.Node, ms float64) kind.Node {
	return plain(at, time.Duration(min(ms, 1e12)*float64(time.Millisecond)).String())
}

func list(at kind.Node, items ...kind.Node) kind.Node {
	return kind.Node{File: at.File, Line: at.Line, Col: at.Col, Shape: kind.List, Items: items}
}

func mapping(at kind.Node, fields ...kind.Field) kind.Node {
	return kind.Node{File: at.File, Line: at.Line, Col: at.Col, Shape: kind.Mapping, Fields: fields}
}

func field(key string, v kind.Node) kind.Field { return kind.Field{Key: text(v, key), Value: v} }

// copied is a value of the recording as it is, with its dollars kept.
func copied(n kind.Node) kind.Node {
	if n.Shape == kind.Scalar && !n.Plain {
		return text(n, n.Text)
	}
	n.Items, n.Fields = slices.Clone(n.Items), slices.Clone(n.Fields)
	for i := range n.Items {
		n.Items[i] = copied(n.Items[i])
	}
	for i := range n.Fields {
		n.Fields[i].Value = copied(n.Fields[i].Value)
	}
	return n
}

// keysOf lists the keys of the struct that v points to, also of those embedded in it.
func keysOf(v any) []string {
	var keys []string
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for f := range t.Fields() {
			if f.Anonymous {
				add(f.Type)
			} else if name := f.Tag.Get("yaml"); name != "" {
				keys = append(keys, name)
			}
		}
	}
	add(reflect.TypeOf(v).Elem())
	return keys
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
