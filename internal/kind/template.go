package kind

import "fmt"

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
		return fmt.Errorf("got %s, want a text", n.found())
	}
	*t = Template{n.Text, n.Deferred}
	return nil
}

// NodeSchema implements [Describer].
func (t *Template) NodeSchema(*Schemas) *Schema { return TextSchema() }

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
