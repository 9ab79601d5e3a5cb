package kind

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
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
				if _, ok := errors.AsType[*Error](err); ok {
					return err
				}
				return n.Errorf("%s%w", prefix(path), n.Locate(err))
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
	if v.Kind() == reflect.Interface {
		v.Set(reflect.ValueOf(n.Value()))
		return nil
	}
	switch v.Kind() {
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

func decodeScalar(n Node, v reflect.Value, path string) error {
	want := wanted(v)
	if n.Shape != Scalar {
		return n.Errorf("%sgot %s, want %s", prefix(path), n.found(), want)
	}
	if err := setScalar(n, v); err != nil {
		return n.Errorf("%sgot %q, want %s", prefix(path), n.Text, want)
	}
	return nil
}

func setScalar(n Node, v reflect.Value) error {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(n.Text)
		if err == nil && d < 0 {
			return errors.New("negative")
		}
		v.SetInt(int64(d))
		return err
	}
	switch v.Kind() { //nolint:exhaustive // settings have no other fields
	case reflect.String:
		v.SetString(n.Text)
		return nil
	case reflect.Bool:
		if n.Text != "true" && n.Text != "false" {
			return errors.New("not a bool")
		}
		v.SetBool(n.Text == "true")
		return nil
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16:
		i, err := strconv.ParseInt(n.Text, 10, v.Type().Bits())
		v.SetInt(i)
		return err
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16:
		u, err := strconv.ParseUint(n.Text, 10, v.Type().Bits())
		v.SetUint(u)
		return err
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.Text, 64)
		v.SetFloat(f)
		return err
	}
	return fmt.Errorf("settings of type %v", v.Type())
}

func wanted(v reflect.Value) string {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return "a duration with its unit, such as 300ms or 10s"
	}
	switch v.Kind() { //nolint:exhaustive // the rest is a whole number
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// Value returns the node as plain Go values: string, bool, int64, float64, []any,
// map[string]any or nil.
func (n Node) Value() any {
	switch n.Shape {
	case Null:
		return nil
	case List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Value()
		}
		return out
	case Mapping:
		out := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			out[f.Key.Text] = f.Value.Value()
		}
		return out
	case Scalar:
	}
	if !n.Plain {
		return n.Text
	}
	if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
		return f
	}
	if n.Text == "true" || n.Text == "false" {
		return n.Text == "true"
	}
	return n.Text
}

// found says what the node holds, without its text where that may be long.
func (n Node) found() string {
	if n.Shape == Scalar {
		return strconv.Quote(n.Text)
	}
	return n.Shape.String()
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			keys = append(keys, name)
		}
	}
	return keys
}

func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); name == key {
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

// A Path is the path of a file; a relative one starts at the file that names it.
type Path string

// UnmarshalNode implements [Unmarshaler].
func (p *Path) UnmarshalNode(n Node) error {
	if n.Shape != Scalar || n.Text == "" {
		return n.Errorf("got %s, want the path of a file", n.found())
	}
	*p = Path(n.Text)
	if !filepath.IsAbs(n.Text) {
		*p = Path(filepath.Join(filepath.Dir(n.File), n.Text))
	}
	return nil
}
