package recorder

import (
	"fmt"
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
		return fmt.Errorf("got %s, want a text in quotes", shown(n))
	}
	*l = literal(n.Text)
	return nil
}

// An amount is a number as JSON has it.
type amount float64

// UnmarshalNode implements [kind.Unmarshaler].
func (a *amount) UnmarshalNode(n kind.Node) error {
	f, err := strconv.ParseFloat(n.Text, 64)
	if n.Shape != kind.Scalar || !n.Plain || err != nil {
		return fmt.Errorf("got %s, want a number", shown(n))
	}
	*a = amount(f)
	return nil
}

// A flag is true or false as JSON has it.
type flag bool

// UnmarshalNode implements [kind.Unmarshaler].
func (f *flag) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.Scalar || !n.Plain || n.Text != "true" && n.Text != "false" {
		return fmt.Errorf("got %s, want true or false", shown(n))
	}
	*f = n.Text == "true"
	return nil
}

// shown says what a value is without what it says, if that is a text.
func shown(n kind.Node) string {
	switch {
	case n.Shape == kind.Scalar && n.Plain:
		return n.Text
	case n.Shape == kind.Scalar:
		return "a text"
	}
	return n.Shape.String()
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

func number(at kind.Node, f amount) kind.Node {
	return plain(at, strconv.FormatFloat(float64(f), 'f', -1, 64))
}

func boolean(at kind.Node, b flag) kind.Node { return plain(at, strconv.FormatBool(bool(b))) }

// millis is a time in milliseconds.
func millis(at kind.Node, ms amount) kind.Node {
	return plain(at, time.Duration(min(float64(ms), 1e12)*float64(time.Millisecond)).String())
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
