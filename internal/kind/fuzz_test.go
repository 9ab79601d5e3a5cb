package kind_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// Whatever a file holds, reading it ends, does not panic, and what is wrong has a place.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "a: 1", "a: [1, {b: 'c'}]\n---\n- d", "a: &x {b: 1}\nc: {<<: *x}\nd: *x", "a: |\n  b\nc: >-\n  d", "a: \"\\u00e9\"",
		"%YAML 1.2\n---\n!!str a: b", "? a\n: b", "text: ${env:A} $$ ${call}\nmore: [{deep: 1}]", "a:\n- b\n-\n  - c", "{a, b: }", "...\n--- |", "a: ~ # c",
	} {
		f.Add(seed)
	}
	v := &kind.Vars{Env: func(string) (string, bool) { return "e", true }, Named: map[string]string{"n": "$"}, Deferred: []string{"call"}}
	f.Fuzz(func(t *testing.T, text string) {
		placed := func(err error) {
			e, ok := errors.AsType[*kind.Error](err)
			if !ok || e.File != "f.yaml" || e.Line < 1 || e.Col < 1 || e.Msg == "" {
				t.Errorf("got %#v (%v), want an error with a place and a message", err, err)
			}
		}
		start := time.Now()
		docs, err := kind.Parse("f.yaml", []byte(text))
		if err != nil {
			placed(err)
		}
		for _, n := range docs {
			check(t, n)
			_ = n.Value()
			var s settings
			if err := n.Decode(&s); err != nil {
				placed(err)
			}
			if hasCommand(n) {
				continue
			}
			n, err := n.Expand(v)
			if err != nil {
				placed(err)
				continue
			}
			if err := n.Decode(&s); err != nil {
				placed(err)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v for %d bytes", took, len(text))
		}
	})
}

// check holds what users of a Node rely on.
func check(t *testing.T, n kind.Node) {
	t.Helper()
	if n.File != "f.yaml" || n.Line < 1 || n.Col < 1 {
		t.Errorf("got a node at %s:%d:%d, want a place", n.File, n.Line, n.Col)
	}
	if n.Shape != kind.Scalar && n.Text != "" || n.Shape != kind.List && n.Items != nil || n.Shape != kind.Mapping && n.Fields != nil {
		t.Errorf("got %v with parts of another shape", n)
	}
	for _, item := range n.Items {
		check(t, item)
	}
	seen := map[string]bool{}
	for _, f := range n.Fields {
		if f.Key.Shape != kind.Scalar || seen[f.Key.Text] {
			t.Errorf("got key %v, want a scalar that stands once", f.Key)
		}
		seen[f.Key.Text] = true
		check(t, f.Key)
		check(t, f.Value)
	}
}

// hasCommand reports whether expanding n would read files or run something.
func hasCommand(n kind.Node) bool {
	found := false
	var walk func(kind.Node)
	walk = func(n kind.Node) {
		_, _ = kind.Fill(n.Text, func(name string) (string, error) {
			found = found || strings.HasPrefix(name, "cmd:") || strings.HasPrefix(name, "file:")
			return "", nil
		})
		for _, item := range n.Items {
			walk(item)
		}
		for _, f := range n.Fields {
			walk(f.Value)
		}
	}
	walk(n)
	return found
}
