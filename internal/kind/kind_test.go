package kind_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// A fault with settings of its own, as packages declare them.
type drop struct {
	To     string        `yaml:"to"`
	For    time.Duration `yaml:"for"`
	Expect expectation   `yaml:"expect"`
}

type expectation struct {
	Status []int `yaml:"status"`
}

func table() kind.Table[string] {
	return kind.Table[string]{
		kind.Of("drop", "drops packets", "to: a:1", drop{For: 30 * time.Second}, func(d drop) (string, error) {
			if d.To == "" {
				return "", kind.At("to", errors.New("got none, want HOST:PORT"))
			}
			for i, s := range d.Expect.Status {
				if s > 599 {
					return "", kind.At("expect", kind.At(fmt.Sprintf("status[%d]", i), fmt.Errorf("got %d, want at most 599", s)))
				}
			}
			if d.To == "here" {
				return "", fs.ErrPermission
			}
			return fmt.Sprintf("drop %s for %v", d.To, d.For), nil
		}),
		kind.Of("pause", "stops a process", "", struct{}{}, func(struct{}) (string, error) { return "pause", nil }),
	}
}

func TestTableBuild(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"drop: {to: a:1}":           "drop a:1 for 30s",
		"drop: {to: a:1, for: 1ms}": "drop a:1 for 1ms",
		"pause: {}":                 "pause",
		"pause:":                    "pause",
	} {
		name, v, err := table().Build("fault", parse(t, text))
		if err != nil || v != want || name != want[:len(name)] || name == "" {
			t.Errorf("%s: got %q, %q and %v, want %q", text, name, v, err, want)
		}
	}
	for text, want := range map[string]string{
		"dorp: {to: a:1}":               `1:1: unknown fault "dorp"; did you mean "drop"? Known: drop, pause`,
		"latency: {}":                   `1:1: unknown fault "latency"; known: drop, pause`,
		"drop: {}\npause: {}":           `1:1: got several: drop, pause, want one fault: drop, pause`,
		"drop":                          `1:1: got "drop", want one fault: drop, pause`,
		"[drop]":                        `1:1: got a list, want one fault: drop, pause`,
		"{}":                            `1:1: got an empty mapping, want one fault: drop, pause`,
		"drop: {too: a:1}":              `1:8: unknown key "too"; did you mean "to"? Known: to, for, expect`,
		"drop: {for: 1s}":               `1:8: to: got none, want HOST:PORT`,
		"drop:\n  for: 1s\n  to: ''":    `3:7: to: got none, want HOST:PORT`,
		"drop:\n  to: here":             `2:3: permission denied`,
		"drop: {to: a:1, for: forever}": `1:22: for: got "forever", want a duration with its unit, such as 300ms or 10s`,
		"drop: {to: a, expect: {status: [200, 600]}}": `1:38: expect: status[1]: got 600, want at most 599`,
		"pause: {now: true}":                          `1:9: unknown key "now"; none is known here`,
	} {
		_, _, err := table().Build("fault", parse(t, text))
		said(t, err, "f.yaml:"+want)
	}
	if _, _, err := table().Build("fault", parse(t, "drop: {to: here}")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v, want an error that still is what build returned", err)
	}
}

func TestTableBuildText(t *testing.T) {
	t.Parallel()
	for _, k := range table() {
		if _, err := table().BuildText(k.Name, k.Example); err != nil {
			t.Errorf("%s: its example does not build: %v", k.Name, err)
		}
	}
	for text, want := range map[string]string{
		"for: 1s":           "drop:1:1: to: got none, want HOST:PORT",
		"":                  "drop:1:1: got nothing, want a mapping with to, for, expect",
		"to: a\n---\nto: b": "drop:3:1: got a second YAML document, want one",
		"to: [":             "drop:1:5: not readable as YAML: sequence end token ']' not found",
	} {
		_, err := table().BuildText("drop", text)
		said(t, err, want)
	}
	_, err := table().BuildText("dropp", "{}")
	said(t, err, `dropp:1:1: unknown kind "dropp"; did you mean "drop"? Known: drop, pause`)
}

// Two builds of one kind must not see each other's settings.
func TestDefaultsAreNotShared(t *testing.T) {
	t.Parallel()
	type s struct {
		Words []string          `yaml:"words"`
		Map   map[string]string `yaml:"map"`
		Ptr   *drop             `yaml:"ptr"`
	}
	k := kind.Table[s]{kind.Of("k", "", "", s{[]string{"d"}, map[string]string{"d": "d"}, &drop{To: "d"}}, func(v s) (s, error) { return v, nil })}
	if _, err := k.BuildText("k", "{words: [a], map: {a: b}, ptr: {to: x}}"); err != nil {
		t.Fatal(err)
	}
	v, err := k.BuildText("k", "{}")
	if err != nil || v.Words[0] != "d" || v.Map["d"] != "d" || v.Ptr.To != "d" {
		t.Errorf("got %+v and %v, want the defaults", v, err)
	}
}

type common struct {
	Name  string        `yaml:"name"`
	Every time.Duration `yaml:"every"`
}

func TestSplit(t *testing.T) {
	t.Parallel()
	var c common
	f, err := kind.Split(parse(t, "name: a\ndrop: {to: x}\nevery: 1s"), &c, "kind of check", table().Names())
	if err != nil || c != (common{"a", time.Second}) || f.Key.Text != "drop" || f.Value.Get("to").Text != "x" {
		t.Errorf("got %+v, %+v and %v", c, f, err)
	}
	for text, want := range map[string]string{
		"name: a":               "1:1: got no kind of check, want one of drop, pause",
		"drop: {}\npause: {}":   `2:1: got a second kind of check "pause" beside "drop", want one`,
		"nam: a\ndrop: {}":      `1:1: unknown key "nam"; did you mean "name"? Known: name, every, drop, pause`,
		"every: soon\ndrop: {}": `1:8: every: got "soon", want a duration with its unit, such as 300ms or 10s`,
		"[a]":                   "1:1: got a list, want a mapping",
	} {
		_, err := kind.Split(parse(t, text), &common{}, "kind of check", table().Names())
		said(t, err, "f.yaml:"+want)
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	n := parse(t, "a: {b: [{c: 1}, {c: 2}]}\n\"1\": x")
	plain := errors.New("bad")
	for want, err := range map[string]error{
		"f.yaml:1:1: bad":                       plain,
		"f.yaml:1:5: a: bad":                    kind.At("a", plain),
		"f.yaml:1:8: a.b: bad":                  kind.At("a.b", plain),
		"f.yaml:1:21: a.b[1].c: bad":            kind.At("a.b[1].c", plain),
		"f.yaml:1:21: a: b[1].c: bad":           kind.At("a", kind.At("b[1].c", plain)),
		"f.yaml:1:18: a: b[1]: sub: z: bad":     kind.At("a", kind.At("b[1]", fmt.Errorf("sub: %w", kind.At("z", plain)))),
		"f.yaml:1:8: a.b[7]: bad":               kind.At("a.b[7]", plain), // as far as it goes
		"f.yaml:1:8: a.b[-1]: bad":              kind.At("a.b[-1]", plain),
		"f.yaml:1:5: a.z.b: bad":                kind.At("a.z.b", plain),
		"f.yaml:2:6: 1: bad":                    kind.At("1", plain),
		"f.yaml:1:1: : bad":                     kind.At("", plain),
		"outer: f.yaml:1:13: got \"1\", want 2": fmt.Errorf("outer: %w", n.Get("a").Get("b").Items[0].Get("c").Errorf("got %q, want 2", "1")),
	} {
		got := n.Locate(err)
		said(t, got, want)
		if !errors.Is(got, plain) && err != nil && errors.Is(err, plain) {
			t.Errorf("%s: no longer is the error it was", want)
		}
	}
	if err := n.Locate(nil); err != nil {
		t.Errorf("got %v, want nil for nil", err)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"timeout", "every", "http", "tcp", "tls", "to"}
	for got, want := range map[string]string{
		"timeoutt": "timeout", "tiemout": "timeout", "TIMEOUT": "timeout", "timout": "timeout", "htp": "http", "https": "http",
		"evry": "every", "xyz": "", "": "", "interval": "", "t": "to", "zz": "", "tlss": "tls", "tpc": "tcp",
	} {
		if near := kind.Nearest(got, known); near != want {
			t.Errorf("%q: got %q, want %q", got, near, want)
		}
	}
	if got, want := kind.UnknownWord("kind", "x", nil), `unknown kind "x"; none is known here`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// The order of the known words does not matter.
	slices.Reverse(known)
	if near := kind.Nearest("timeoutt", known); near != "timeout" {
		t.Errorf("got %q, want timeout in any order", near)
	}
}
