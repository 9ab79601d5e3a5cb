package kind_test

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/internal/kind"
)

type settings struct {
	Text   string            `yaml:"text"`
	Yes    bool              `yaml:"yes"`
	Int    int               `yaml:"int"`
	Small  int16             `yaml:"small"`
	Port   uint16            `yaml:"port"`
	Ratio  float64           `yaml:"ratio"`
	Every  time.Duration     `yaml:"every"`
	Words  []string          `yaml:"words"`
	Labels map[string]string `yaml:"labels"`
	Any    any               `yaml:"any"`
	Inner  inner             `yaml:"inner"`
	More   []inner           `yaml:"more"`
	Maybe  *inner            `yaml:"maybe"`
	Named  map[string]inner  `yaml:"named"`
	Load   rate              `yaml:"load"`
	Later  kind.Template     `yaml:"later"`
	File   kind.Path         `yaml:"file"`
	Node   kind.Node         `yaml:"node"`
	None   struct{}          `yaml:"none"`

	hidden  string
	Skipped string `yaml:"-"`
}

type inner struct {
	Deep int   `yaml:"deep"`
	List []int `yaml:"list"`
}

// rate is read by itself, and says what is wrong without a place.
type rate int

func (r *rate) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.Scalar {
		return kind.At("per", errors.New("got a mapping, want a rate such as 5/s"))
	}
	i, err := strconv.Atoi(strings.TrimSuffix(n.Text, "/s"))
	if err != nil {
		return errors.New("got no number, want a rate such as 5/s")
	}
	*r = rate(i)
	return nil
}

func TestDecode(t *testing.T) {
	t.Parallel()
	n := parse(t, `
text: "5"
yes: true
int: -3
small: 32767
port: 65535
ratio: 0.25
every: 1m30s
words: [a, 2, ""]
labels: {b: c, d: "1"}
any: {x: [1, "1"]}
inner: {deep: 1}
more: [{deep: 2}, {list: [1, 2]}]
maybe: {deep: 3}
named: {one: {deep: 4}}
load: 5/s
later: hello
file: sub/a.pem
node: [x]
none:
`)
	got := settings{Inner: inner{Deep: 9, List: []int{9}}, Skipped: "kept", hidden: "kept"}
	if err := n.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Node.Items[0].Text != "x" || got.Later.String() != "hello" || got.hidden != "kept" {
		t.Errorf("got node %v, template %q, hidden %q", got.Node, got.Later, got.hidden)
	}
	got.Node, got.Later, got.hidden = kind.Node{}, kind.Template{}, ""
	want := settings{
		Text: "5", Yes: true, Int: -3, Small: 32767, Port: 65535, Ratio: 0.25, Every: 90 * time.Second,
		Words: []string{"a", "2", ""}, Labels: map[string]string{"b": "c", "d": "1"},
		Any:   map[string]any{"x": []any{int64(1), "1"}},
		Inner: inner{Deep: 1, List: []int{9}}, // what is left out keeps its value
		More:  []inner{{Deep: 2}, {List: []int{1, 2}}}, Maybe: &inner{Deep: 3},
		Named: map[string]inner{"one": {Deep: 4}}, Load: 5, File: "sub/a.pem", Skipped: "kept",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{}, kind.Template{}), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Node" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	const duration = ", want a duration with its unit, such as 300ms or 10s"
	for text, want := range map[string]string{
		"txt: a":                       `1:1: unknown key "txt"; did you mean "text"? Known: text, yes, int, small, port, ratio, every, words, labels, any, inner, more, maybe, named, load, later, file, node, none`,
		"Skipped: a":                   `1:1: unknown key "Skipped"; known: text, yes, int, small, port, ratio, every, words, labels, any, inner, more, maybe, named, load, later, file, node, none`,
		"inner: {dep: 1}":              `1:9: inner: unknown key "dep"; did you mean "deep"? Known: deep, list`,
		"more:\n- deep: 1\n- deepp: 1": `3:3: more[1]: unknown key "deepp"; did you mean "deep"? Known: deep, list`,
		"more:\n- list: [1, x]":        `2:13: more[0].list[1]: got "x", want a whole number`,
		"named: {a: {deep: x}}":        `1:19: named.a.deep: got "x", want a whole number`,
		"maybe: {deep: 1.5}":           `1:15: maybe.deep: got "1.5", want a whole number`,
		"maybe:":                       `1:8: maybe: got nothing, want a mapping with deep, list`,
		"text: [a]":                    `1:7: text: got a list, want a text`,
		"text:":                        `1:7: text: got nothing, want a text`,
		"yes: yes":                     `1:6: yes: got "yes", want true or false`,
		"yes: True":                    `1:6: yes: got "True", want true or false`,
		"int: 99999999999999999999":    `1:6: int: got "99999999999999999999", want a whole number`,
		"int: 0x10":                    `1:6: int: got "0x10", want a whole number`,
		"small: 32768":                 `1:8: small: got "32768", want a whole number from -32768 to 32767`,
		"port: 65536":                  `1:7: port: got "65536", want a whole number from 0 to 65535`,
		"port: -1":                     `1:7: port: got "-1", want a whole number from 0 to 65535`,
		"ratio: .inf":                  `1:8: ratio: got ".inf", want a number`,
		"ratio: nan":                   `1:8: ratio: got "nan", want a number`,
		"ratio: 1e999":                 `1:8: ratio: got "1e999", want a number`,
		"every: 10":                    `1:8: every: got "10"` + duration,
		"every: -1s":                   `1:8: every: got "-1s"` + duration,
		"every: {a: b}":                `1:9: every: got a mapping` + duration,
		"words: a":                     `1:8: words: got "a", want a list`,
		"words: [a, [b]]":              `1:12: words[1]: got a list, want a text`,
		"labels: [a]":                  `1:9: labels: got a list, want a mapping`,
		"labels: {a: {b: c}}":          `1:14: labels.a: got a mapping, want a text`,
		"load: many":                   `1:7: load: got no number, want a rate such as 5/s`,
		"load: {x: 1, per: 2}":         `1:19: load: per: got a mapping, want a rate such as 5/s`,
		"later: [a]":                   `1:8: later: got a list, want a text`,
		"file: ''":                     `1:7: file: got "", want the path of a file`,
		"none: {a: b}":                 `1:8: none: unknown key "a"; none is known here`,
		"- a":                          `1:1: got a list, want a mapping with text, yes, int, small, port, ratio, every, words, labels, any, inner, more, maybe, named, load, later, file, node, none`,
	} {
		var s settings
		said(t, parse(t, text).Decode(&s), "f.yaml:"+want)
	}
	// A long text, such as a key that landed in the wrong place, is not shown whole.
	err := parse(t, "int: |\n  "+strings.Repeat("k", 500)+"hunter2").Decode(&settings{})
	said(t, err, `f.yaml:1:6: int: got "`+strings.Repeat("k", 100)+`"..., want a whole number`)
}

func TestDecodeSharesNothing(t *testing.T) {
	t.Parallel()
	defaults := settings{Maybe: &inner{Deep: 1, List: []int{1}}, Labels: map[string]string{"a": "b"}, Words: []string{"x"}}
	s := defaults
	if err := parse(t, "{maybe: {deep: 2}, labels: {c: d}, words: [y]}").Decode(&s); err != nil {
		t.Fatal(err)
	}
	if defaults.Maybe.Deep != 1 || len(defaults.Labels) != 1 || defaults.Words[0] != "x" {
		t.Errorf("decoding over a copy changed the defaults: %+v", defaults)
	}
	if s.Maybe.Deep != 2 || s.Maybe.List[0] != 1 || s.Labels["a"] != "" || s.Labels["c"] != "d" {
		t.Errorf("got %+v, want the pointer's other fields kept and the map replaced", s)
	}
}

func TestDecodeAnyNull(t *testing.T) {
	t.Parallel()
	s := settings{Any: "default"}
	if err := parse(t, "any: null").Decode(&s); err != nil || s.Any != nil {
		t.Errorf("got %v and %v, want null to be a value like any other", s.Any, err)
	}
	var m struct {
		JSON map[string]any `yaml:"json"`
	}
	if err := parse(t, "json: {a: null, b: ~, c: }").Decode(&m); err != nil || len(m.JSON) != 3 {
		t.Errorf("got %v and %v, want three nulls", m.JSON, err)
	}
}

func TestPathStartsAtItsFile(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"/etc/fs/a.yaml": "/etc/fs/x/y", "a.yaml": "x/y", "../b/a.yaml": "../b/x/y"} {
		docs, err := kind.Parse(file, []byte("file: x/y"))
		var s settings
		if err == nil {
			err = docs[0].Decode(&s)
		}
		if err != nil || string(s.File) != filepath.FromSlash(want) {
			t.Errorf("%s: got %q and %v, want %q", file, s.File, err, want)
		}
	}
	var s settings
	if err := parse(t, "file: /abs/x").Decode(&s); err != nil || s.File != "/abs/x" {
		t.Errorf("got %q and %v, want an absolute path untouched", s.File, err)
	}
}

func TestEmbeddedSettingsAreOnesOwn(t *testing.T) {
	t.Parallel()
	type Shared struct {
		To string `yaml:"to"`
	}
	var s struct {
		Shared
		With string `yaml:"with"`
	}
	if err := parse(t, "{to: a, with: b}").Decode(&s); err != nil || s.To != "a" || s.With != "b" {
		t.Errorf("got %+v and %v, want a and b", s, err)
	}
	said(t, parse(t, "wit: c").Decode(&s), `f.yaml:1:1: unknown key "wit"; did you mean "with"? Known: to, with`)
}
