package kind_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/internal/kind"
)

// vars are variables over a directory with two files, and an environment of two names.
func vars(t *testing.T) *kind.Vars {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"token": "s3cret-token\r\n", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"HOST": "shop", "KEY": "hunter2"}
	return &kind.Vars{
		Dir: dir, Env: func(name string) (string, bool) { s, ok := env[name]; return s, ok },
		Secret: []string{"KEY"}, Secrets: &kind.Secrets{},
		Named:    map[string]string{"base": "http://x", "price": "$5 ${HOST}", "n": "7"},
		Deferred: []string{"call", "call_id"},
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	v := vars(t)
	for text, want := range map[string]any{
		"a: plain":                      object{"a": "plain"},
		"a: ${base}/in":                 object{"a": "http://x/in"},
		"a: '${env:HOST}:${n}'":         object{"a": "shop:7"},
		"a: ${n}":                       object{"a": int64(7)}, // without quotes a number stays one
		"a: '${n}'":                     object{"a": "7"},
		"a: ${price}":                   object{"a": "$5 ${HOST}"}, // a value is not looked through again
		"a: $${base} $$$ $5 $":          object{"a": "${base} $$ $5 $"},
		"a: ${file:token}":              object{"a": "s3cret-token"}, // without its line end
		"a: ${file:empty}":              object{"a": ""},
		"a: '${cmd:printf \"%s\" a-b}'": object{"a": "a-b"},
		"a: ${cmd:pwd}":                 object{"a": v.Dir},
		"a: ${cmd:echo $HOME $$}":       nil,                                                    // $$ is a dollar before the shell sees it
		"${base}: [x, {b: '${base}'}]":  object{"${base}": []any{"x", object{"b": "http://x"}}}, // keys are left alone
		"a: |\n  ${base}\n":             object{"a": "http://x\n"},
	} {
		n, err := parse(t, text).Expand(v)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, n.Value()); want != nil && diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	t.Parallel()
	v := vars(t)
	for text, want := range map[string]string{
		"a: [x, '${bse}']":     `1:8: unknown variable "bse"; did you mean "base"? Known: base, n, price, call, call_id`,
		"a: ${enw:HOST}":       `1:4: unknown source "enw"; did you mean "env"? Known: env, file, cmd, vault`,
		"a: ${env:NONE}":       "1:4: ${env:NONE}: environment variable NONE is not set",
		"a: ${file:none}":      "1:4: ${file:none}: open " + v.Dir + "/none: no such file or directory",
		"a: ${cmd:exit 3}":     "1:4: ${cmd:}: command ended with exit status 3",
		"a: ${base":            "1:4: got ${ without }, want ${name} or $$ for a dollar",
		"a: '${call} ${bse}'":  `1:4: unknown variable "bse"; did you mean "base"? Known: base, n, price, call, call_id`,
		"a: ${}":               `1:4: unknown variable ""; known: base, n, price, call, call_id`,
		"a: x\nb: {c: ${none}": "2:9: not readable as YAML: ',' or '}' must be specified",
	} {
		docs, err := kind.Parse("f.yaml", []byte(text))
		if err == nil {
			_, err = docs[0].Expand(v)
		}
		said(t, err, "f.yaml:"+want)
	}
	_, err := parse(t, "a: ${file:none}").Expand(v)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that still is os.ErrNotExist", err)
	}
}

// A command that leaves something behind with its output open must not hold us.
func TestCommandCannotHang(t *testing.T) {
	t.Parallel()
	_, err := parse(t, "a: '${cmd:sleep 20 & echo x}'").Expand(&kind.Vars{})
	if err == nil || !strings.Contains(err.Error(), "f.yaml:1:4: ${cmd:}: command ended with ") {
		t.Errorf("got %v, want an error long before the sleep ends", err)
	}
}

func TestExpandLeavesTheOriginal(t *testing.T) {
	t.Parallel()
	n := parse(t, "a: [{b: '${base}'}]")
	if _, err := n.Expand(vars(t)); err != nil {
		t.Fatal(err)
	}
	if got := n.Get("a").Items[0].Get("b").Text; got != "${base}" {
		t.Errorf("got %q, want the node as it was", got)
	}
}

func TestTemplateRoundTrip(t *testing.T) {
	t.Parallel()
	v := vars(t)
	v.Named["tricky"] = "$$ ${call} $"
	for text, want := range map[string]string{
		"id-${call}":             "id-42",
		"${call}${call_id}":      "4299",
		"$${call} ${call}":       "${call} 42",
		"${price} ${call}":       "$5 ${HOST} 42", // a value with dollars stays what it is
		"${tricky}${call}":       "$$ ${call} $42",
		"$5 $ $${x} ${call}$":    "$5 $ ${x} 42$",
		`{"a": "${call}"} $$$$`:  `{"a": "42"} $$`,
		"${file:token} ${call}":  "s3cret-token 42",
		"nothing to fill, $$ ok": "nothing to fill, $ ok",
		"":                       "",
	} {
		n, err := parse(t, "a: '"+text+"'").Expand(v)
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			A kind.Template `yaml:"a"`
		}
		if err := n.Decode(&s); err != nil {
			t.Fatal(err)
		}
		got, err := s.A.Fill(map[string]string{"call": "42", "call_id": "99"})
		if err != nil || got != want {
			t.Errorf("%s: got %q and %v, want %q", text, got, err, want)
		}
	}
	if got, err := kind.Text("${call} $$").Fill(nil); err != nil || got != "${call} $$" {
		t.Errorf("got %q and %v, want a plain text untouched", got, err)
	}
	n, err := parse(t, "{a: 'x ${call}'}").Expand(v)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		A kind.Template `yaml:"a"`
	}
	if err := n.Decode(&s); err != nil || s.A.String() != "x ${call}" {
		t.Errorf("got %q and %v, want the text as it is written", s.A, err)
	}
	_, err = s.A.Fill(map[string]string{"cal": "1"})
	said(t, err, "${call} has no value yet")
}

// Each ${} is looked up once: a command may count, or cost.
func TestCommandRunsOnce(t *testing.T) {
	t.Parallel()
	v := vars(t)
	if _, err := parse(t, "a: '${call} ${cmd:echo run >> runs}'").Expand(v); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(v.Dir, "runs"))
	if err != nil || string(got) != "run\n" {
		t.Errorf("got %q and %v, want one run", got, err)
	}
}

// What comes later can only go where something waits for it.
func TestLaterValuesWhereNoneIsExpected(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"text: a-${call}":            `1:7: text: got "a-${call}", want a text whose ${} are known before the run`,
		"int: ${call}":               `1:6: int: got "${call}", want a text whose ${} are known before the run`,
		"labels: {a: '${call}'}":     `1:13: labels.a: got "${call}", want a text whose ${} are known before the run`,
		"any: [{a: [1, '${call}']}]": `1:15: any: got "${call}", want a text whose ${} are known before the run`,
		"file: a/${call}":            `1:7: file: got "a/${call}", want a text whose ${} are known before the run`,
	} {
		n, err := parse(t, text).Expand(vars(t))
		if err == nil {
			err = n.Decode(&settings{})
		}
		said(t, err, "f.yaml:"+want)
	}
}

func TestVault(t *testing.T) {
	t.Parallel()
	v := &kind.Vars{Secrets: &kind.Secrets{}, Vault: func(path, key string) (string, error) {
		if path != "secret/shop" {
			return "", errors.New("permission denied")
		}
		return key + " is hunter22\n", nil
	}}
	n, err := parse(t, "a: ${vault:secret/shop#password}").Expand(v)
	if err != nil || n.Get("a").Text != "password is hunter22" || v.Secrets.Mask("the password is hunter22!") != "the ***!" {
		t.Errorf("got %q and %v, want the value, masked", n.Get("a").Text, err)
	}
	for text, want := range map[string]string{
		"a: ${vault:other#x}":       "1:4: ${vault:other#x}: permission denied",
		"a: ${vault:secret/shop}":   "1:4: ${vault:secret/shop}: want the path of a secret and a key of it, such as ${vault:secret/shop#password}",
		"a: ${vault:secret/shop#}b": "1:4: ${vault:secret/shop#}: want the path of a secret and a key of it, such as ${vault:secret/shop#password}",
	} {
		_, err := parse(t, text).Expand(v)
		said(t, err, "f.yaml:"+want)
	}
}
