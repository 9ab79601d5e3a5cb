package kind

import (
	"fmt"
	"path/filepath"
)

// A Path is the path of a file; a relative one starts at the file that names it.
type Path string

// NodeSchema implements [Describer].
func (p *Path) NodeSchema(*Schemas) *Schema { return &Schema{Type: Types{"string"}, MinLength: 1} }

// UnmarshalNode implements [Unmarshaler].
func (p *Path) UnmarshalNode(n Node) error {
	if n.Shape != Scalar || n.Text == "" {
		return fmt.Errorf("got %s, want the path of a file", n.found())
	}
	if n.Deferred {
		return n.tooEarly()
	}
	*p = Path(n.Text)
	if !filepath.IsAbs(n.Text) {
		*p = Path(filepath.Join(filepath.Dir(n.File), n.Text))
	}
	return nil
}
