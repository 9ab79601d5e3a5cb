package expect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/foreshock/foreshock/internal/kind"
)

func (h *HTTP) checkJSON(body []byte) error {
	doc, err := parseJSON(body)
	if err != nil {
		return fmt.Errorf("body: got %s, want JSON: %w", excerpt(body), err)
	}
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(h.JSON)) {
		want := h.JSON[path]
		found := h.paths[path].Get(doc)
		if !slices.ContainsFunc(found, func(got any) bool { return same(got, want) }) {
			errs = append(errs, fmt.Errorf("json %s: got %s, want %s", path, shown(found...), shown(want)))
		}
	}
	return errors.Join(errs...)
}

// parseJSON reads whole numbers as int64, so that long ids keep their last digits.
func parseJSON(body []byte) (any, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(whole))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	return plain(doc), nil
}

// plain turns the numbers in v into int64 where they are whole, else float64.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v.String() // too large to be any number that was expected
		}
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

// same compares a JSON value with a configured one; 1 and 1.0 are one number.
func same(got, want any) bool {
	switch w := want.(type) {
	case int64:
		if g, ok := got.(float64); ok {
			return g == float64(w)
		}
	case float64:
		if g, ok := got.(int64); ok {
			return float64(g) == w
		}
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(g, w, same)
	case map[string]any:
		g, ok := got.(map[string]any)
		return ok && maps.EqualFunc(g, w, same)
	}
	return got == want
}

// shown writes values as JSON, and of much only the start.
func shown(values ...any) string {
	if len(values) == 0 {
		return "nothing there"
	}
	texts := make([]string, len(values))
	for i, v := range values {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return fmt.Sprint(values...)
		}
		texts[i] = strings.TrimSuffix(b.String(), "\n")
	}
	start, rest := cut([]byte(strings.Join(texts, ", ")))
	return start + rest
}

// A Path finds a value in JSON.
type Path struct {
	text string
	expr jp.Expr
}

// UnmarshalNode implements [kind.Unmarshaler].
func (p *Path) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.Scalar || n.Deferred {
		return errors.New("got no text, want a JSONPath such as $.token")
	}
	expr, err := path(n.Text)
	*p = Path{n.Text, expr}
	return err
}

// NodeSchema implements [kind.Describer].
func (p *Path) NodeSchema(*kind.Schemas) *kind.Schema { return kind.PatternSchema(`^\$`, "$.token") }

// Find returns the one value that is there: a text as it is, a number or bool as JSON
// has it. Its errors show nothing of the body.
func (p *Path) Find(body []byte) (string, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return "", fmt.Errorf("got a body that is not JSON, want %s in it", p.text)
	}
	found := p.expr.Get(doc)
	if len(found) != 1 {
		return "", fmt.Errorf("got %d values at %s, want one", len(found), p.text)
	}
	switch v := found[0].(type) {
	case string:
		return v, nil
	case int64, float64, bool:
		return shown(v), nil
	}
	return "", fmt.Errorf("got no text, number or bool at %s, want one", p.text)
}

// path reads a JSONPath.
func path(text string) (jp.Expr, error) {
	if !strings.HasPrefix(text, "$") {
		return nil, fmt.Errorf("got %q, want a JSONPath that starts with $, such as $.paid", text)
	}
	expr, err := jp.ParseString(text)
	if err != nil {
		return nil, fmt.Errorf("got %q, want a JSONPath such as $.paid: %w", text, err)
	}
	return expr, nil
}
