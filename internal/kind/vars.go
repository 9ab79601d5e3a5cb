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
	"time"
)

// cmdLimit is how long a ${cmd:} may take.
const cmdLimit = 10 * time.Second

// Vars gives the values of ${}: ${env:NAME}, ${file:PATH}, ${cmd:LINE},
// ${vault:PATH#KEY} and ${name}. Values of file, cmd and vault, and of env names in Secret, go to Secrets.
type Vars struct {
	Dir      string                      // relative ${file:} paths start here
	Env      func(string) (string, bool) // such as os.LookupEnv
	Secret   []string                    // env names whose values are secrets
	Secrets  *Secrets
	Vault    func(path, key string) (string, error) // nil: there is none
	Named    map[string]string
	Deferred []string // names whose values come later, through a Template
}

// Expand returns n with every ${} replaced, in values and not in keys; $$ is a dollar.
// Errors about what it returns do not show v's Secrets.
func (n Node) Expand(v *Vars) (Node, error) {
	var err error
	n.secrets = v.Secrets
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

// expandText puts in what is known now. If something comes later, the rest stays a
// template, in which the dollars of what was put in are doubled.
func (n Node) expandText(v *Vars) (Node, error) {
	later := false
	text, err := fill(n.Text, "$$", func(name string) (string, error) {
		if slices.Contains(v.Deferred, name) {
			later = true
			return "${" + name + "}", nil
		}
		s, err := v.value(name)
		return strings.ReplaceAll(s, "$", "$$"), err
	})
	switch {
	case err != nil:
		return n, n.Errorf("%w", err)
	case later:
		n.Deferred = true
	default:
		text = strings.ReplaceAll(text, "$$", "$")
	}
	n.Text = text
	return n, nil
}

// Fill returns n with what Expand left for later replaced by the values of the given
// names. A text with a name that has no value is left as it is.
func (n Node) Fill(values map[string]string) Node {
	if n.Deferred {
		if text, err := (Template{n.Text, true}).Fill(values); err == nil {
			n.Text, n.Deferred = text, false
		}
	}
	n.Items, n.Fields = slices.Clone(n.Items), slices.Clone(n.Fields)
	for i := range n.Items {
		n.Items[i] = n.Items[i].Fill(values)
	}
	for i := range n.Fields {
		n.Fields[i].Value = n.Fields[i].Value.Fill(values)
	}
	return n
}

// Fill replaces each ${name} in text by what lookup gives for the name; $$ becomes a dollar.
func Fill(text string, lookup func(name string) (string, error)) (string, error) {
	return fill(text, "$", lookup)
}

// fill is Fill with dollar for each $$.
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
	case "vault":
		return v.fromVault(name, what)
	case "cmd":
		ctx, cancel := context.WithTimeout(context.Background(), cmdLimit)
		defer cancel()
		c := exec.CommandContext(ctx, "sh", "-c", what) //nolint:gosec // running it is what the user asks for
		c.Dir = v.Dir
		c.WaitDelay = time.Second // for what the command leaves behind with its output open
		b, err := c.Output()
		if err != nil {
			return "", fmt.Errorf("${cmd:}: command ended with %w", err)
		}
		return v.secret(b), nil
	}
	return "", errors.New(UnknownWord("source", source, []string{"env", "file", "cmd", "vault"}))
}

func (v *Vars) fromVault(name, what string) (string, error) {
	path, key, ok := strings.Cut(what, "#")
	if !ok || path == "" || key == "" {
		return "", fmt.Errorf("${%s}: want the path of a secret and a key of it, such as ${vault:secret/shop#password}", name)
	}
	if v.Vault == nil {
		return "", fmt.Errorf("${%s}: no vault can be asked here", name)
	}
	s, err := v.Vault(path, key)
	if err != nil {
		return "", fmt.Errorf("${%s}: %w", name, err)
	}
	return v.secret([]byte(s)), nil
}

func (v *Vars) secret(b []byte) string {
	s := strings.TrimRight(string(b), "\r\n")
	v.Secrets.Add(s)
	return s
}
