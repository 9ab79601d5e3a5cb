package recorder

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/foreshock/foreshock/internal/kind"
)

// selecting are the keys of a step that acts on an element.
type selecting struct {
	common
	Selectors []way `yaml:"selectors"`
}

// A way is one alternative: a selector, or several that lead through shadow roots.
type way []string

// UnmarshalNode implements [kind.Unmarshaler].
func (w *way) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.List {
		var l literal
		if err := l.UnmarshalNode(n); err != nil {
			return err
		}
		*w = way{string(l)}
	} else {
		for _, item := range n.Items {
			var l literal
			if err := l.UnmarshalNode(item); err != nil {
				return item.Errorf("selectors: %w", err)
			}
			*w = append(*w, string(l))
		}
	}
	if len(*w) == 0 {
		return errors.New("got an empty list, want a selector, such as \"#buy\" or \"aria/Buy\"")
	}
	for _, part := range *w {
		if _, v := split(part); strings.TrimSpace(v) == "" {
			return fmt.Errorf("got %q, want a selector, such as \"#buy\" or \"aria/Buy\"", part)
		}
	}
	return nil
}

// split takes a selector apart into how it finds and what.
func split(s string) (by, value string) {
	for _, by := range []string{"aria", "text", "xpath", "pierce", "css"} {
		if rest, ok := strings.CutPrefix(s, by+"/"); ok {
			return by, rest
		}
	}
	return "css", s
}

// needsSelectors wants at least one.
func (s *step) needsSelectors(c selecting) error {
	if err := s.needs("selectors"); err != nil {
		return err
	}
	if len(c.Selectors) == 0 {
		return s.node.Get("selectors").Errorf("step %d: got no selector, want at least one, such as [\"#buy\"]", s.no)
	}
	return nil
}

// selector is the element that a step means. Of several matches it is the first, as the
// recorder itself takes it.
func (s *step) selector(c selecting, first bool) (kind.Node, error) {
	at := s.node.Get("selectors")
	var ways []kind.Node
	for i, w := range c.Selectors {
		way, err := s.way(at.Items[i], w)
		switch {
		case err != nil:
			return kind.Node{}, err
		case way.Shape == kind.Null:
			s.warn(at.Items[i], "step %d: the selector names a role that only browsers know, and is left out", s.no)
		case !slices.ContainsFunc(ways, func(o kind.Node) bool { return flowing(o) == flowing(way) }):
			ways = append(ways, way)
		}
	}
	if len(ways) == 0 {
		return kind.Node{}, at.Errorf("step %d: got only selectors by a role that only browsers know, want another, such as \"#buy\"", s.no)
	}
	out := mapping(at, field("any", list(at, ways...)))
	if len(ways) == 1 && ways[0].Shape == kind.Mapping {
		out = ways[0]
	}
	if first {
		out.Fields = append(out.Fields, field("nth", plain(at, "1")))
	}
	return s.framed(out, c.common), nil
}

// framed adds the frame that a step is in to a selector or an expression.
func (s *step) framed(n kind.Node, c common) kind.Node {
	if len(c.Frame) == 0 {
		return n
	}
	at := s.node.Get("frame")
	path := list(at)
	for _, i := range c.Frame {
		path.Items = append(path.Items, number(at, i))
	}
	n.Fields = append(n.Fields, field("frame", path))
	return n
}

// way is one alternative, or nothing if a part of it cannot be looked for.
func (s *step) way(at kind.Node, w way) (kind.Node, error) {
	parts := make([]kind.Node, len(w))
	for i, selector := range w {
		var err error
		if parts[i], err = s.part(at, selector); err != nil || parts[i].Shape == kind.Null {
			return kind.Node{}, err
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return list(at, parts...), nil
}

func (s *step) part(at kind.Node, selector string) (kind.Node, error) {
	by, value := split(selector)
	switch by {
	case "aria":
		name, role := spoken(value)
		// Roles of browsers alone are written LabelText or DisclosureTriangle.
		known := role == strings.ToLower(role)
		switch {
		case name == "" && !known:
			return kind.Node{}, nil
		case name == "" && role == "":
			return kind.Node{}, at.Errorf("step %d: got %q, want a name or a role, such as aria/Buy or aria/Buy[role=\"button\"]", s.no, selector)
		case name == "":
			return mapping(at, field("role", text(at, role))), nil
		}
		n := mapping(at, field("aria", text(at, name)))
		if role != "" && known {
			n.Fields = append(n.Fields, field("role", text(at, role)))
		}
		return n, nil
	case "text", "xpath":
		return mapping(at, field(by, text(at, value))), nil
	}
	return mapping(at, field("css", text(at, value))), nil
}

// spoken takes Name[role="button"] apart.
func spoken(s string) (name, role string) {
	attribute := regexp.MustCompile(`\[\s*(name|role)\s*=\s*(?:"((?:\\.|[^"])*)"|'((?:\\.|[^'])*)')\s*\]`)
	for _, m := range attribute.FindAllStringSubmatch(s, -1) {
		if m[1] == "role" {
			role = m[2] + m[3]
		} else {
			name = m[2] + m[3]
		}
	}
	if rest := strings.TrimSpace(attribute.ReplaceAllString(s, "")); rest != "" {
		name = rest
	}
	return name, role
}

// label names the element for people: what it says, or else its selector.
func label(c selecting) string {
	for _, by := range []string{"aria", "text", ""} {
		for _, w := range c.Selectors {
			how, value := split(w[len(w)-1])
			if how == "aria" {
				value, _ = spoken(value)
			}
			value = short(value)
			if value == "" || by != "" && by != how {
				continue
			}
			if by == "" {
				return value
			}
			return `"` + value + `"`
		}
	}
	return "an element"
}

// short makes a text fit for a name.
func short(s string) string {
	const most = 40
	r := []rune(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " "))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

// secretive reports whether a step seems to type into the field of a secret. A recording
// does not say of what type a field is.
func secretive(c selecting) bool {
	marks := regexp.MustCompile(fmt.Sprintf(`(?i)%s`, strings.Join([]string{
		"passw", "passphrase", "passcode", `\bpwd`, `\bpin\b`, "secret", "token", "api.?key", `\botp\b`, "one.?time", `\bcvv`, `\bcvc`,
		"card.?number", "kennwort", "contrase", "mot de passe", "mdp", "wachtwoord", "senha", "lösenord", "hasło", "пароль", "密码", "パスワード",
	}, "|")))
	for _, w := range c.Selectors {
		if marks.MatchString(strings.Join(w, " ")) {
			return true
		}
	}
	return false
}
