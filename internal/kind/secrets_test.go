package kind_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		secrets    []string
		text, want string
	}{
		{[]string{"hunter2"}, "login with hunter2: hunter2 refused", "login with ***: *** refused"},
		{[]string{"hunter", "hunter2"}, "hunter2 and hunter", "*** and ***"}, // the longest first, whatever the order
		{[]string{"hunter2", "hunter"}, "hunter2 and hunter", "*** and ***"},
		{[]string{"abc", ""}, "abc, abcd", "abc, abcd"}, // too short to be told from a word
		{[]string{"abcd"}, "abcd", "***"},
		{[]string{`pa"ss\word`}, fmt.Sprintf("got %q", `x pa"ss\word`), `got "x ***"`},
		{[]string{"line1\nline2"}, strconv.Quote("line1\nline2") + " line1\nline2", `"***" ***`},
		{[]string{"a b&c/d"}, "http://x/?q=a+b%26c%2Fd and /a%20b&c%2Fd", "http://x/?q=*** and /***"},
		{nil, "as it is", "as it is"},
	} {
		var s kind.Secrets
		for _, secret := range c.secrets {
			s.Add(secret)
		}
		if got := s.Mask(c.text); got != c.want {
			t.Errorf("%q of %q: got %q, want %q", c.secrets, c.text, got, c.want)
		}
	}
	var none *kind.Secrets
	none.Add("hunter2")
	if got := none.Mask("hunter2"); got != "hunter2" {
		t.Errorf("got %q, want a nil Secrets to mask nothing", got)
	}
}

func TestMaskFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var s kind.Secrets
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			secret := fmt.Sprintf("secret-%d", i)
			s.Add(secret)
			if got := s.Mask(secret); got != "***" {
				t.Errorf("got %q, want it masked once it was added", got)
			}
		})
	}
	wg.Wait()
}

// However a secret lands in a setting that is wrong, the message does not show it.
func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("private-key/+", 30)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	v := &kind.Vars{
		Dir: dir, Env: func(string) (string, bool) { return `hun"ter2`, true },
		Secret: []string{"KEY"}, Secrets: &kind.Secrets{}, Named: map[string]string{},
	}
	bad := kind.Table[string]{kind.Of("bad", "", "", settings{}, func(s settings) (string, error) {
		return "", kind.At("inner", fmt.Errorf("%w: got %q beside %v, want something else", os.ErrInvalid, s.Text, s.Labels))
	})}
	for text, want := range map[string]string{
		"bad: {int: '${env:KEY}'}":                                     `1:12: int: got "***", want a whole number`,
		"bad: {int: 'x${env:KEY}y'}":                                   `1:12: int: got "x***y", want a whole number`,
		"bad: {int: '${file:key}'}":                                    `1:12: int: got "***", want a whole number`,
		"bad: {more: [{deep: '${cmd:echo a-secret}'}]}":                `1:21: more[0].deep: got "***", want a whole number`,
		"bad: {words: '${env:KEY}'}":                                   `1:14: words: got "***", want a list`,
		"bad: {load: {a: '${env:KEY}'}}":                               "1:14: load: per: got a mapping, want a rate such as 5/s",
		"bad: {text: '${env:KEY}', labels: {a: '${env:KEY}'}}":         `1:7: inner: invalid argument: got "***" beside map[a:***], want something else`,
		"bad: {text: '${file:key}', labels: {a: b}, inner: {deep: 1}}": `1:52: inner: invalid argument: got "***" beside map[a:b], want something else`,
		"bad: '${env:KEY}'":                                            "",
	} {
		n, err := parse(t, text).Expand(v)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = bad.Build("thing", n)
		if err == nil || strings.Contains(err.Error(), "ter2") || strings.Contains(err.Error(), "private") || strings.Contains(err.Error(), "a-secret") {
			t.Errorf("%s: got %v, want an error without the secret", text, err)
		}
		if want != "" {
			said(t, err, "f.yaml:"+want)
		}
	}
	n, err := parse(t, "bad: {text: '${env:KEY}'}").Expand(v)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = bad.Build("thing", n); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("got %v, want an error that still is what build returned", err)
	}
	said(t, n.Get("none").Errorf("got hun\"ter2"), "f.yaml:1:1: got ***")
}

// Where the YAML itself is broken, nothing but the place and the parser's word is told.
func TestSyntaxErrorsShowNoOtherLine(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"password: hunter2\nchecks: [", "checks: [\npassword: hunter2", "a: 'x\npassword: hunter2", "password: hunter2\n\tx: y",
		"password: hunter2\npassword: hunter2", "a: {password: hunter2", "- password: hunter2\nb: c", "a: |1x\n  hunter2",
		"password: hunter2\n  b: c", "password: \"hunter2\\q\"", "%TAG hunter2", "? hunter2\n? [hunter2", "&x hunter2: *y",
		"a: [hunter2}", "hunter2: : hunter2", "a: &hunter1 hunter2 hunter3: x", "password: hunter2 : x", "password: @hunter2",
		"password: hunter2\n\x00", "password: !!hunter {a: hunter2}",
	} {
		_, err := kind.Parse("f.yaml", []byte(text))
		if err == nil {
			t.Errorf("%q: got no error", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the message shows a value: %v", text, err)
		}
	}
}
