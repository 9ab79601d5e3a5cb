package journeys

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Selector says which element of a page is meant: what a user sees of it, a CSS
// selector or an XPath. Only visible elements count where there are any. It must mean
// one: several are an error unless Nth says which.
type Selector struct {
	By       string        `json:"by"` // css, xpath, text, label, testid, role, aria or any
	Value    string        `json:"value"`
	Name     string        `json:"name,omitempty"`     // the accessible name, beside a role
	Nth      int           `json:"nth,omitempty"`      // from 1; -1 is the last; 0 is the only one
	Role     string        `json:"role,omitempty"`     // beside aria; empty is any
	In       *Selector     `json:"in,omitempty"`       // nil is the whole page
	Any      *alternatives `json:"any,omitempty"`      // alternatives, if By is any
	Frame    *frame        `json:"frame,omitempty"`    // nil is the page itself
	Implicit string        `json:"implicit,omitempty"` // CSS of what has the role by itself
}

// selectorFields are a Selector as it is written: one of the ways to find, and more.
type selectorFields struct {
	CSS    string        `yaml:"css"`    // a CSS selector
	XPath  string        `yaml:"xpath"`  // an XPath
	Text   string        `yaml:"text"`   // what the element says
	Label  string        `yaml:"label"`  // the label of a field
	TestID string        `yaml:"testid"` // its data-testid
	Role   string        `yaml:"role"`   // its role for a screen reader, such as button; best with name
	Aria   string        `yaml:"aria"`   // its name for a screen reader, whatever its role
	Any    *alternatives `yaml:"any"`    // several ways: the first that finds something counts
	Frame  *frame        `yaml:"frame"`  // the frame in which it is
	Name   string        `yaml:"name"`   // beside role: its name for a screen reader
	Nth    int           `yaml:"nth"`    // which of several: 1 is the first, -1 the last
	In     *Selector     `yaml:"in"`     // the element in which it is
}

// NodeSchema implements [kind.Describer].
func (s *Selector) NodeSchema(g *kind.Schemas) *kind.Schema {
	return g.Def("selector", func() *kind.Schema { return selectorSchema(g) })
}

// selectorSchema is the schema of a selector without some of its keys.
func selectorSchema(g *kind.Schemas, without ...string) *kind.Schema {
	css := kind.TextSchema()
	css.MinLength = 1
	return kind.Either(mappedSelector(g, without...), css)
}

// mappedSelector is that of one that is written as a mapping.
func mappedSelector(g *kind.Schemas, without ...string) *kind.Schema {
	one := g.Fields(selectorFields{}, map[string]*kind.Schema{"role": kind.WordsSchema(slices.Sorted(maps.Keys(roles()))...)})
	for _, key := range without {
		delete(one.Properties, key)
	}
	for _, way := range []string{"css", "xpath", "text", "label", "testid", "any"} {
		one.OneOf = append(one.OneOf, &kind.Schema{Required: []string{way}})
	}
	named := []*kind.Schema{{Required: []string{"role"}}, {Required: []string{"aria"}}} // or both
	one.OneOf = append(one.OneOf, &kind.Schema{AnyOf: named})
	one.Not = kind.Beside("name", "css", "xpath", "text", "label", "testid", "aria", "any")
	return one
}

// UnmarshalNode reads a text, which is CSS, or a mapping with one of the ways to find.
func (s *Selector) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.Scalar {
		*s = Selector{By: "css", Value: n.Text}
		if n.Text == "" {
			return errors.New("got an empty text, want a CSS selector such as #buy")
		}
		return nil
	}
	var f selectorFields
	if err := n.Decode(&f); err != nil {
		return err
	}
	*s = Selector{Name: f.Name, Nth: f.Nth, In: f.In, Any: f.Any, Frame: f.Frame}
	if n.Has("aria") {
		s.Role, f.Role = f.Role, ""
	}
	ways := 0
	for _, field := range n.Fields {
		switch field.Key.Text {
		case "name", "in", "frame":
		case "role":
			if s.Role == "" {
				s.By, s.Value = "role", f.Role
				ways++
			}
		case "nth":
			if f.Nth == 0 {
				return n.Locate(kind.At("nth", errors.New("got 0, want 1 for the first, 2 for the second, or -1 for the last")))
			}
		case "any":
			s.By, s.Value = "any", f.Any.String()
			ways++
		default:
			s.By, s.Value = field.Key.Text, f.CSS+f.XPath+f.Text+f.Label+f.TestID+f.Aria
			ways++
		}
	}
	if ways != 1 {
		return n.Errorf("got %d ways to find an element, want one of css, xpath, text, label, testid, role, aria, any", ways)
	}
	return n.Locate(s.check())
}

func selectorKeys() []string {
	return []string{"css", "xpath", "text", "label", "testid", "role", "aria", "any", "frame", "name", "nth", "in"}
}

func (s *Selector) check() error {
	if s.Value == "" {
		return kind.At(s.By, errors.New("got an empty text, want what to look for"))
	}
	if s.By == "aria" {
		s.Implicit = roles()[s.Role]
	}
	if s.By != "role" {
		if s.Name != "" {
			return kind.At("name", fmt.Errorf("got a name beside %s, want it beside role", s.By))
		}
		return nil
	}
	implicit, ok := roles()[s.Value]
	if !ok {
		return kind.At("role", errors.New(unknownRole(s.Value)))
	}
	s.Implicit = implicit
	return nil
}

// String writes the selector as errors and step names show it.
func (s Selector) String() string {
	text := s.Value
	switch {
	case s.By == "aria" && s.Role != "":
		text = s.Role + " " + strconv.Quote(s.Value)
	case s.By == "role" && s.Name != "":
		text += " " + strconv.Quote(s.Name)
	case s.By != "css" && s.By != "role" && s.By != "any":
		text = s.By + " " + strconv.Quote(s.Value)
	}
	switch {
	case s.By == "any" && s.Nth == 1: // the ordinary way where several may match
	case s.Nth == -1:
		text += " (the last)"
	case s.Nth != 0:
		text += fmt.Sprintf(" (nth %d)", s.Nth)
	}
	if s.In != nil {
		text += " in " + s.In.String()
	}
	if s.Frame != nil {
		text += " in " + s.Frame.String()
	}
	return text
}

// noun is what the selector looks for.
func (s Selector) noun() string {
	switch {
	case s.By == "role" && s.Name != "":
		return s.Value + " of that name"
	case s.By == "role":
		return s.Value
	}
	return "element"
}

// sought is the word that errors compare with what is on the page.
func (s Selector) sought() string {
	if s.By == "role" {
		return s.Name
	}
	return s.Value
}

func (s Selector) required(key string) error {
	if s.Value == "" {
		return kind.At(key, errors.New("got none, want the selector of an element, such as #buy"))
	}
	return nil
}
