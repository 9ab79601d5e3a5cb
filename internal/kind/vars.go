package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// cmdLimit is how long a ${cmd:} may take.
const cmdLimit = 10 * time.Second

// Vars gives the values of ${}: ${env:NAME}, ${file:PATH}, ${cmd:LINE} and ${name}.
// Values of file and cmd, and of env names in Secret, go to Secrets.
type Vars struct {
	Dir      string                      // relative ${file:} paths start here
	Env      func(string) (string, bool) // such as os.LookupEnv
	Secret   []string                    // env names whose values are secrets
	Secrets  *Secrets
	Named    map[string]string
	Deferred []string // names whose values come later, through a Template
}

// Expand returns n with every ${} replaced, in values and not in keys; $$ is a dollar.
func (n Node) Expand(v *Vars) (Node, error) {
	var err error
	switch n.Shape {
	case Scalar:
		return n.expandText(v)
	case List:
		n.Items = slices.Clone(n.Items)
		for i := range n.Items {
			if n.Items[i], err = n.Items[i].Expand(v); err != nil {
				return n, err
			}
		}
	case Mapping:
		n.Fields = slices.Clone(n.Fields)
		for i := range n.Fields {
			if n.Fields[i].Value, err = n.Fields[i].Value.Expand(v); err != nil {
				return n, err
			}
		}
	case Null:
	}
	return n, nil
}

func (n Node) expandText(v *Vars) (Node, error) {
	later := false
	text, err := Fill(n.Text, func(name string) (string, error) {
		if slices.Contains(v.Deferred, name) {
			later = true
			return "", nil
		}
		return v.value(name)
	})
	if err != nil {
		return n, n.Errorf("%w", err)
	}
	if !later {
		n.Text = text
		return n, nil
	}
	// What is known now is put in, escaped, and the template keeps the rest.
	n.Deferred = true
	n.Text, err = fill(n.Text, "$$", func(name string) (string, error) {
		if slices.Contains(v.Deferred, name) {
			return "${" + name + "}", nil
		}
		s, err := v.value(name)
		return strings.ReplaceAll(s, "$", "$$"), err
	})
	return n, err
}

// Fill replaces each ${name} in text by what lookup gives for the name; $$ becomes a dollar.
func Fill(text string, lookup func(name string) (string, error)) (string, error) {
	return fill(text, "$", lookup)
}

func fill(text, dollar string, lookup func(name string) (string, error)) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		switch {
		case !found:
			return out.String(), nil
		case strings.HasPrefix(after, "$"):
			out.WriteString(dollar)
			text = after[1:]
		case strings.HasPrefix(after, "{"):
			name, rest, closed := strings.Cut(after[1:], "}")
			if !closed {
				return "", errors.New("got ${ without }, want ${name} or $$ for a dollar")
			}
			value, err := lookup(name)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			text = rest
		default:
			out.WriteString("$")
			text = after
		}
	}
}

func (v *Vars) value(name string) (string, error) {
	source, what, sourced := strings.Cut(name, ":")
	if !sourced {
		s, ok := v.Named[name]
		if !ok {
			known := make([]string, 0, len(v.Named)+len(v.Deferred))
			for k := range v.Named {
				known = append(known, k)
			}
			slices.Sort(known)
			return "", errors.New(UnknownWord("variable", name, append(known, v.Deferred...)))
		}
		return s, nil
	}
	switch source {
	case "env":
		s, ok := v.Env(what)
		if !ok {
			return "", fmt.Errorf("${%s}: environment variable %s is not set", name, what)
		}
		if slices.Contains(v.Secret, what) {
			v.Secrets.Add(s)
		}
		return s, nil
	case "file":
		if !filepath.IsAbs(what) {
			what = filepath.Join(v.Dir, what)
		}
		b, err := os.ReadFile(what) //nolint:gosec // the user names the file
		if err != nil {
			return "", fmt.Errorf("${%s}: %w", name, err)
		}
		return v.secret(b), nil
	case "cmd":
		ctx, cancel := context.WithTimeout(context.Background(), cmdLimit)
		defer cancel()
		c := exec.CommandContext(ctx, "sh", "-c", what) //nolint:gosec // running it is what the user asks for
		c.Dir = v.Dir
		b, err := c.Output()
		if err != nil {
			return "", fmt.Errorf("${cmd:}: command ended with %w", err)
		}
		return v.secret(b), nil
	}
	return "", errors.New(UnknownWord("source", source, []string{"env", "file", "cmd"}))
}

func (v *Vars) secret(b []byte) string {
	s := strings.TrimRight(string(b), "\r\n")
	v.Secrets.Add(s)
	return s
}

// A Template is a text whose ${} are filled at run time, if it has any left.
type Template struct {
	text     string
	deferred bool
}

// Text makes a Template that has nothing to fill.
func Text(s string) Template { return Template{text: s} }

// UnmarshalNode implements [Unmarshaler].
func (t *Template) UnmarshalNode(n Node) error {
	if n.Shape != Scalar {
		return n.Errorf("got %s, want a text", n.found())
	}
	*t = Template{n.Text, n.Deferred}
	return nil
}

// String returns the text as it is written.
func (t Template) String() string { return t.text }

// Fill returns the text with the values of the given names; it fails on a name that has none.
func (t Template) Fill(values map[string]string) (string, error) {
	if !t.deferred {
		return t.text, nil
	}
	return Fill(t.text, func(name string) (string, error) {
		s, ok := values[name]
		if !ok {
			return "", fmt.Errorf("${%s} has no value yet", name)
		}
		return s, nil
	})
}

// Secrets are texts that no output may show. It may be used from several goroutines;
// a nil Secrets masks nothing.
type Secrets struct {
	mu    sync.RWMutex
	texts []string
}

// Add makes a text a secret. One of fewer than 4 bytes is not masked: it would blot
// out ordinary words.
func (s *Secrets) Add(text string) {
	if s == nil || len(text) < 4 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.texts, text) {
		s.texts = append(s.texts, text)
		slices.SortFunc(s.texts, func(a, b string) int { return len(b) - len(a) }) // the longest first
	}
}

// Mask replaces every secret in text by ***.
func (s *Secrets) Mask(text string) string {
	if s == nil {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.texts {
		text = strings.ReplaceAll(text, t, "***")
	}
	return text
}
