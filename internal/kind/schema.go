package kind

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// A Schema is a JSON Schema (draft 2020-12), as far as settings need it.
type Schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Comment     string             `json:"$comment,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Type        Types              `json:"type,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	MinLength   int                `json:"minLength,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	OneOf       []*Schema          `json:"oneOf,omitempty"`
	Not         *Schema            `json:"not,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // false, or a *Schema
	Required    []string           `json:"required,omitempty"`
	MinFields   int                `json:"minProperties,omitempty"`
	MaxFields   int                `json:"maxProperties,omitempty"`
	Default     any                `json:"default,omitempty"`
	Examples    []any              `json:"examples,omitempty"`
	Defs        map[string]*Schema `json:"$defs,omitempty"`

	// What editors say; no part of the standard, but known to the servers of VS Code.
	Message        string `json:"errorMessage,omitempty"`
	PatternMessage string `json:"patternErrorMessage,omitempty"`
}

// Types are the JSON types that a value may have; the first is what an editor offers.
type Types []string

// MarshalJSON writes a single type as a word.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// A Describer says what its UnmarshalNode reads. Whatever has the one has the other.
type Describer interface {
	NodeSchema(g *Schemas) *Schema
}

// Schemas makes the schemas of settings from their types, so that no second list of
// keys has to agree with what Decode reads.
type Schemas struct {
	// Comments says what a key is, by package.type.key: journeys.typing.text.
	Comments map[string]string
	// Missing names what was found without a schema: types that read themselves and do
	// not say what, and parts that nobody described. Those allow anything.
	Missing []string

	defs map[string]*Schema
}

// later is how a value says that it is put in when the file is read, or at run time.
const later = `\$\{`

// Finish makes s a schema of its own.
func (g *Schemas) Finish(s *Schema, title, description string) *Schema {
	out := *s
	out.Schema = "https://json-schema.org/draft/2020-12/schema"
	out.Title, out.Description, out.Defs = title, description, g.defs
	return &out
}

// Def puts what build makes aside under a name, once, and returns a reference to it:
// for what is large, or contains itself.
func (g *Schemas) Def(name string, build func() *Schema) *Schema {
	if _, ok := g.defs[name]; !ok {
		if g.defs == nil {
			g.defs = map[string]*Schema{}
		}
		g.defs[name] = &Schema{} // while it is built, it is known
		g.defs[name] = build()
	}
	return &Schema{Ref: "#/$defs/" + name}
}

// Of is the schema of a value that Decode fills; what v holds are the defaults.
func (g *Schemas) Of(v any) *Schema { return g.of(reflect.ValueOf(v), "") }

// Fields is the schema of a struct by its keys, also of one that reads itself. parts
// are those of keys that are decoded later, which the type does not tell.
func (g *Schemas) Fields(v any, parts map[string]*Schema) *Schema {
	s := &Schema{Type: Types{"object"}, Properties: map[string]*Schema{}, Additional: false}
	g.fields(s, reflect.ValueOf(v), parts)
	return s
}

func (g *Schemas) fields(s *Schema, v reflect.Value, parts map[string]*Schema) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if embedded(f) {
			g.fields(s, v.Field(i), parts)
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		name := v.Type().PkgPath() + "." + v.Type().Name() + "." + key
		p := parts[key]
		if p == nil {
			p = g.of(v.Field(i), name)
		}
		if text := g.Comments[name[strings.LastIndex(v.Type().PkgPath(), "/")+1:]]; text != "" {
			p = described(p, text)
		}
		s.Properties[key] = p
	}
}

// described returns s with a description that is not its own; s may be in use elsewhere.
func described(s *Schema, text string) *Schema {
	out := *s
	out.Description = text
	return &out
}

func (g *Schemas) of(v reflect.Value, name string) *Schema {
	t := v.Type()
	if t == reflect.TypeFor[Node]() {
		g.Missing = append(g.Missing, name)
		return &Schema{}
	}
	if d, ok := reflect.TypeAssert[Describer](reflect.New(t)); ok {
		return d.NodeSchema(g)
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[Unmarshaler]()) {
		g.Missing = append(g.Missing, t.String())
		return &Schema{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(reflect.New(t.Elem()).Elem(), name)
	case reflect.Interface:
		return &Schema{}
	case reflect.Struct:
		s := &Schema{Type: Types{"object"}, Properties: map[string]*Schema{}, Additional: false}
		if t.NumField() == 0 {
			s.Type = append(s.Type, "null")
		}
		g.fields(s, v, nil)
		return s
	case reflect.Slice:
		return &Schema{Type: Types{"array"}, Items: g.of(reflect.New(t.Elem()).Elem(), name)}
	case reflect.Map:
		return &Schema{Type: Types{"object"}, Additional: g.of(reflect.New(t.Elem()).Elem(), name)}
	default:
		return scalarSchema(v)
	}
}

// scalarSchema is what decodeScalar takes. It reads the text of a scalar, so quotes do
// not matter, and any of them may be ${}.
func scalarSchema(v reflect.Value) *Schema {
	s := &Schema{}
	zero := 0.0
	switch k := v.Kind(); {
	case v.Type() == reflect.TypeFor[time.Duration]():
		*s = *DurationSchema()
	case k == reflect.String:
		*s = *TextSchema()
	case k == reflect.Bool:
		s.Type, s.Pattern = Types{"boolean", "string"}, `^(true|false)$|`+later
	case v.CanFloat():
		s.Type, s.Pattern = Types{"number", "string"}, `^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$|`+later
	case v.CanUint():
		s.Type, s.Pattern, s.Minimum = Types{"integer", "string"}, `^[0-9]+$|`+later, &zero
	case v.CanInt():
		s.Type, s.Pattern = Types{"integer", "string"}, `^[-+]?[0-9]+$|`+later
	}
	if !v.IsZero() {
		s.Default = v.Interface()
		if d, ok := s.Default.(fmt.Stringer); ok { // a duration
			s.Default = d.String()
		}
	}
	return s
}

// TextSchema is any text; what YAML reads as a number or a bool is one, too.
func TextSchema() *Schema { return &Schema{Type: Types{"string", "number", "boolean"}} }

// DurationSchema is a time with its unit; 0 needs none.
func DurationSchema() *Schema {
	const want = "want a time with its unit, such as 300ms or 10s"
	return &Schema{
		Type: Types{"string", "integer"}, Pattern: `^([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$|^0$|` + later,
		PatternMessage: want, Examples: []any{"300ms", "10s", "5m"},
		AnyOf: []*Schema{{Type: Types{"string"}, Message: want}, {Type: Types{"integer"}, Enum: []any{0}, Message: want}},
	}
}

// PatternSchema is a text of a form, or one with ${}.
func PatternSchema(pattern string, examples ...any) *Schema {
	return &Schema{Type: Types{"string"}, Pattern: pattern + "|" + later, Examples: examples}
}

// WordsSchema is one of some words, or a text with ${}.
func WordsSchema(words ...string) *Schema {
	return &Schema{AnyOf: []*Schema{OneWord(words...), {Type: Types{"string"}, Pattern: later}}}
}

// OneWord is one of some words.
func OneWord(words ...string) *Schema {
	s := &Schema{}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// Either is a value of one of several shapes; an editor offers the first.
func Either(shapes ...*Schema) *Schema { return &Schema{AnyOf: shapes} }

// ListSchema is a list of items, at least so many.
func ListSchema(items *Schema, atLeast int) *Schema {
	return &Schema{Type: Types{"array"}, Items: items, MinItems: atLeast}
}

// Beside is a mapping that has key and one of others, for [Schema.Not].
func Beside(key string, others ...string) *Schema {
	s := &Schema{}
	for _, other := range others {
		s.AnyOf = append(s.AnyOf, &Schema{Required: []string{key, other}})
	}
	return s
}
