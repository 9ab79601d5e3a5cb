package kind_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/internal/kind"
)

// parse reads the one document of text.
func parse(t *testing.T, text string) kind.Node {
	t.Helper()
	docs, err := kind.Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 1 {
		t.Fatalf("got %d documents, want 1", len(docs))
	}
	return docs[0]
}

// said checks an error's exact text; "" wants none.
func said(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
}

type object = map[string]any

func TestParseValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		"a: 1\nb: [x, 2.5, true, null]":         object{"a": int64(1), "b": []any{"x", 2.5, true, nil}},
		"a: '1'\nb: \"true\"\nc: 'null'":        object{"a": "1", "b": "true", "c": "null"},
		"a: ~\nb:\nc: null":                     object{"a": nil, "b": nil, "c": nil},
		"a: |\n  one\n  two\nb: 1":              object{"a": "one\ntwo\n", "b": int64(1)},
		"a: |-\n  1":                            object{"a": "1"},
		"a: >\n  one\n  two\n":                  object{"a": "one two\n"},
		"a: \"x\\ty\\u00e9\"":                   object{"a": "x\tyé"},
		"a: 'it''s'":                            object{"a": "it's"},
		"a: one\n  two":                         object{"a": "one two"},
		"a: http://x:80/#y # comment":           object{"a": "http://x:80/#y"},
		"a: {}\nb: []":                          object{"a": object{}, "b": []any{}},
		"- 1\n- - 2\n  - 3":                     []any{int64(1), []any{int64(2), int64(3)}},
		"a: &x {k: 1}\nb: *x":                   object{"a": object{"k": int64(1)}, "b": object{"k": int64(1)}},
		"a: &x [1]\nb: [*x, *x]":                object{"a": []any{int64(1)}, "b": []any{[]any{int64(1)}, []any{int64(1)}}},
		"d: &d {k: 1, l: 2}\na: {<<: *d, k: 3}": object{"d": object{"k": int64(1), "l": int64(2)}, "a": object{"k": int64(3), "l": int64(2)}},
		"d: &d {k: 1}\na:\n  <<: *d\n  l: 2":    object{"d": object{"k": int64(1)}, "a": object{"k": int64(1), "l": int64(2)}},
		"x: &x {k: 1}\ny: &y {k: 2, l: 2}\na:\n  <<: [*x, *y]\n  m: 3": object{
			"x": object{"k": int64(1)}, "y": object{"k": int64(2), "l": int64(2)},
			"a": object{"k": int64(1), "l": int64(2), "m": int64(3)}, // of several the first wins
		},
		"a: -5\nb: 1e3\nc: 0.5\nd: -.5":                 object{"a": int64(-5), "b": 1000.0, "c": 0.5, "d": -0.5},
		"a: Infinity\nb: nan\nc: inf\nd: 1_0\ne: 0x1p4": object{"a": "Infinity", "b": "nan", "c": "inf", "d": "1_0", "e": "0x1p4"},
		"? a\n: b\n? |-\n  c\n: d":                      object{"a": "b", "c": "d"},
		"a: &x b\n*x : c":                               object{"a": "b", "b": "c"},
		"1: a\ntrue: b\n'c d': e":                       object{"1": "a", "true": "b", "c d": "e"},
		"a: !!str 12":                                   object{"a": "12"},
		"%YAML 1.2\n---\na: b":                          object{"a": "b"},
		"\ufeffa: b":                                    object{"a": "b"},
		"a: b\r\nc: d\r\n":                              object{"a": "b", "c": "d"},
		"hello":                                         "hello",
	} {
		if got := parse(t, text).Value(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n%s", text, cmp.Diff(want, got))
		}
	}
}

func TestParseDocuments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "# nothing": 0, "---\n---\n": 0, "a: 1": 1, "---\na: 1\n...\n": 1,
		"a: 1\n---\nb: 2": 2, "---\n# a comment\n---\nb: 2": 1, "a: 1\n---\n---\nb: 2\n": 2,
	} {
		docs, err := kind.Parse("f.yaml", []byte(text))
		if err != nil || len(docs) != want {
			t.Errorf("%q: got %d documents and %v, want %d", text, len(docs), err, want)
		}
	}
	// An anchor belongs to its document.
	_, err := kind.Parse("f.yaml", []byte("a: &x 1\n---\nb: *x"))
	said(t, err, "f.yaml:3:4: no anchor &x stands before this")
}

func TestParsePlaces(t *testing.T) {
	t.Parallel()
	n := parse(t, `# comment
a:
  - b: {c: 1, "d": [x,
      y]}
    e: |
      text
  - f
`)
	item := n.Get("a").Items[0]
	for what, c := range map[string]struct {
		n         kind.Node
		line, col int
	}{
		"document":         {n, 2, 1},
		"mapping in list":  {item, 3, 5},
		"key":              {item.Fields[0].Key, 3, 5},
		"flow mapping":     {item.Get("b"), 3, 9},
		"value":            {item.Get("b").Get("c"), 3, 12},
		"quoted key":       {item.Get("b").Fields[1].Key, 3, 15},
		"item on new line": {item.Get("b").Get("d").Items[1], 4, 7},
		"missing key":      {item.Get("b").Get("z"), 3, 9},
		"literal":          {item.Get("e"), 5, 8},
		"scalar item":      {n.Get("a").Items[1], 7, 5},
	} {
		if c.n.File != "f.yaml" || c.n.Line != c.line || c.n.Col != c.col {
			t.Errorf("%s: got %s:%d:%d, want f.yaml:%d:%d", what, c.n.File, c.n.Line, c.n.Col, c.line, c.col)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: [1, 2":                        "f.yaml:1:4: not readable as YAML: sequence end token ']' not found",
		"a: 1\na: 2":                      `f.yaml:2:1: not readable as YAML: mapping key "a" already defined at [1:1]`,
		"a: 1\n'a': 2":                    `f.yaml:2:1: not readable as YAML: mapping key "a" already defined at [1:1]`,
		"a: {<<: 1}":                      `f.yaml:1:9: <<: got "1", want a mapping or a list of mappings`,
		"a: {<<: [{b: 1}, 2]}":            `f.yaml:1:18: <<: got "2", want a mapping or a list of mappings`,
		"a: *x":                           "f.yaml:1:4: no anchor &x stands before this",
		"a: &x [*x]":                      "f.yaml:1:8: no anchor &x stands before this",
		"? [a]\n: b":                      "f.yaml:2:1: not readable as YAML: found an invalid key for this map",
		"{a: b}: c":                       "f.yaml:1:7: not readable as YAML: found an invalid key for this map",
		"? - a\n: b":                      "f.yaml:1:3: not readable as YAML: unexpected scalar value type",
		"a: &x [b]\n*x : c":               "f.yaml:2:1: got a list as a key, want a word",
		"a: &x b\n*x : c\nb: 1":           `f.yaml:3:1: "b" stands twice in this mapping`,
		"~: b":                            "f.yaml:1:1: got nothing as a key, want a word",
		"a: b\nc: d: e":                   "f.yaml:2:4: not readable as YAML: mapping value is not allowed in this context",
		"a:\n\t- b":                       "f.yaml:2:1: not readable as YAML: found character '\t' that cannot start any token",
		"a: \"x":                          "f.yaml:1:4: not readable as YAML: could not find end character of double-quoted text",
		"a: b\nc: é\xff":                  "f.yaml:2:5: not readable as YAML: got bytes that are not text in UTF-8",
		"a: \x00":                         "f.yaml:1:4: not readable as YAML: got bytes that are not text in UTF-8",
		"a: !!map {b: c}":                 "f.yaml:1:4: got the tag !!map, want a value without a tag; quote a text",
		"a: !!binary aGk=":                "f.yaml:1:4: got the tag !!binary, want a value without a tag; quote a text",
		"a: !!int '5'":                    "f.yaml:1:4: got the tag !!int, want a value without a tag; quote a text",
		"pass: hunter2\nb: [\nc: hunter2": "f.yaml:2:4: not readable as YAML: sequence end token ']' not found",
	} {
		docs, err := kind.Parse("f.yaml", []byte(text))
		if err == nil {
			t.Errorf("%q: got %v, want an error", text, docs)
		}
		said(t, err, want)
		if _, ok := errors.AsType[*kind.Error](err); !ok {
			t.Errorf("%q: got %T, want a *kind.Error", text, err)
		}
	}
}

// A few lines can stand for billions of values; they must not become so many.
func TestParseBoundsAliases(t *testing.T) {
	t.Parallel()
	text := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		text += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 9) + "*" + string(c-1) + "]\n"
	}
	_, err := kind.Parse("f.yaml", []byte(text))
	said(t, err, "f.yaml:6:36: *e: got more than 1000000 values through aliases, want fewer")
}

func TestParseBoundsDepth(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("[", 100_000), strings.Repeat("{a: ", 50_000), strings.Repeat("- ", 100_000), strings.Repeat("? ", 100_000),
		"a: " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
	} {
		if _, err := kind.Parse("f.yaml", []byte(text)); err == nil {
			t.Errorf("%.20s...: got no error", text)
		}
	}
}

// Depth is not length.
func TestParseLongFile(t *testing.T) {
	t.Parallel()
	const n = 1000
	for text, docs := range map[string]int{
		strings.Repeat("- {a: [b, {c: d}]}\n", n):               1,
		strings.Repeat("- a:\n    b:\n    - c: d\n", n):         1,
		strings.Repeat("a:\n  - b\n---\n", n):                   n,
		strings.Repeat("[", 99) + "a" + strings.Repeat("]", 99): 1,
	} {
		got, err := kind.Parse("f.yaml", []byte(text))
		if err != nil || len(got) != docs {
			t.Errorf("%.20q...: got %d documents and %v, want %d", text, len(got), err, docs)
		}
	}
}

func TestParseFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.yaml")
	if _, err := kind.ParseFile(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
	if err := os.WriteFile(path, []byte("a: [b]"), 0o600); err != nil {
		t.Fatal(err)
	}
	docs, err := kind.ParseFile(path)
	if err != nil || docs[0].Get("a").Items[0].File != path {
		t.Errorf("got %v and %v, want nodes that name %s", docs, err, path)
	}
}
