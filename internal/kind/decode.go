package kind

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// An Unmarshaler reads itself from a node, for settings with more than one shape.
type Unmarshaler interface {
	UnmarshalNode(n Node) error
}

// Decode fills the value that v points to. It is strict: a key that v's type does
// not name is an error with the nearest key it does. Keys are named by the tag
// `yaml:"name"`. What n leaves out keeps its value.
func (n Node) Decode(v any) error {
	return decode(n, reflect.ValueOf(v).Elem(), "")
}

func decode(n Node, v reflect.Value, path string) error {
	if v.Type() == reflect.TypeFor[Node]() {
		v.Set(reflect.ValueOf(n))
		return nil
	}
	if v.CanAddr() {
		if u, ok := reflect.TypeAssert[Unmarshaler](v.Addr()); ok {
			if err := u.UnmarshalNode(n); err != nil {
				if _, placed := errors.AsType[*Error](err); placed {
					return err
				}
				return n.locate(path, err)
			}
			return nil
		}
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			p.Elem().Set(v.Elem())
		}
		v.Set(p)
		return decode(n, p.Elem(), path)
	}
	switch v.Kind() {
	case reflect.Interface:
		return decodeAny(n, v, path)
	case reflect.Struct:
		return decodeStruct(n, v, path)
	case reflect.Slice:
		return decodeList(n, v, path)
	case reflect.Map:
		return decodeMap(n, v, path)
	default:
		return decodeScalar(n, v, path)
	}
}

func decodeStruct(n Node, v reflect.Value, path string) error {
	if v.NumField() == 0 && n.Shape == Null {
		return nil
	}
	if n.Shape != Mapping {
		return n.Errorf("%sgot %s, want a mapping with %s", prefix(path), n.found(), list(keysOf(v.Type())))
	}
	for _, f := range n.Fields {
		i := slices.Index(keysOf(v.Type()), f.Key.Text)
		if i < 0 {
			return f.Key.Errorf("%s%s", prefix(path), UnknownWord("key", f.Key.Text, keysOf(v.Type())))
		}
		if err := decode(f.Value, fieldOf(v, f.Key.Text), join(path, f.Key.Text)); err != nil {
			return err
		}
	}
	return nil
}

func decodeList(n Node, v reflect.Value, path string) error {
	if n.Shape != List {
		return n.Errorf("%sgot %s, want a list", prefix(path), n.found())
	}
	out := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		if err := decode(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func decodeMap(n Node, v reflect.Value, path string) error {
	if n.Shape != Mapping {
		return n.Errorf("%sgot %s, want a mapping", prefix(path), n.found())
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Fields))
	for _, f := range n.Fields {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := decode(f.Value, e, join(path, f.Key.Text)); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(f.Key.Text), e)
	}
	v.Set(out)
	return nil
}

func decodeAny(n Node, v reflect.Value, path string) error {
	if d, ok := n.deferred(); ok {
		return d.Errorf("%s%w", prefix(path), d.tooEarly())
	}
	if value := n.Value(); value != nil {
		v.Set(reflect.ValueOf(value))
	} else {
		v.SetZero()
	}
	return nil
}

// deferred returns a value in n whose text comes only at run time.
func (n Node) deferred() (Node, bool) {
	if n.Deferred {
		return n, true
	}
	for _, item := range n.Items {
		if d, ok := item.deferred(); ok {
			return d, true
		}
	}
	for _, f := range n.Fields {
		if d, ok := f.Value.deferred(); ok {
			return d, true
		}
	}
	return Node{}, false
}

func (n Node) tooEarly() error {
	return fmt.Errorf("got %s, want a text whose ${} are known before the run", n.found())
}

// keysOf lists the keys of a struct; those of a struct embedded without a tag are its own.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		if embedded(f) {
			keys = append(keys, keysOf(f.Type)...)
		} else if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			keys = append(keys, name)
		}
	}
	return keys
}

func embedded(f reflect.StructField) bool {
	return f.Anonymous && f.Tag.Get("yaml") == "" && f.Type.Kind() == reflect.Struct
}

func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if f := v.Type().Field(i); embedded(f) {
			if inner := fieldOf(v.Field(i), key); inner.IsValid() {
				return inner
			}
		} else if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func typeOf(pointer any) reflect.Type { return reflect.TypeOf(pointer).Elem() }
