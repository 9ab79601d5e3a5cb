package kind

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

func decodeScalar(n Node, v reflect.Value, path string) error {
	want := wanted(v)
	if n.Deferred {
		return n.Errorf("%s%w", prefix(path), n.tooEarly())
	}
	if n.Shape != Scalar {
		return n.Errorf("%sgot %s, want %s", prefix(path), n.found(), want)
	}
	if err := setScalar(n, v); err != nil {
		return n.Errorf("%sgot %s, want %s", prefix(path), n.found(), want)
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
		f, err := parseFloat(n.Text)
		v.SetFloat(f)
		return err
	}
	return fmt.Errorf("settings of type %v", v.Type())
}

func wanted(v reflect.Value) string {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return "a duration with its unit, such as 300ms or 10s"
	}
	bits := v.Type().Bits
	switch v.Kind() { //nolint:exhaustive // settings have no other fields
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Int32, reflect.Int16:
		return fmt.Sprintf("a whole number from %d to %d", -int64(1)<<(bits()-1), int64(1)<<(bits()-1)-1)
	case reflect.Uint32, reflect.Uint16:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<bits()-1)
	case reflect.Uint, reflect.Uint64:
		return "a whole number of at least 0"
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
	if f, err := parseFloat(n.Text); err == nil {
		return f
	}
	if n.Text == "true" || n.Text == "false" {
		return n.Text == "true"
	}
	return n.Text
}

// parseFloat reads a decimal number; Go's words for others (inf, nan, 0x1p4, 1_0) are
// texts to whoever writes YAML.
func parseFloat(text string) (float64, error) {
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, errors.New("not a decimal number")
	}
	return strconv.ParseFloat(text, 64)
}
