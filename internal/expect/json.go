package expect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
