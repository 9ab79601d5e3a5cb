package journeys

import (
	"errors"
	"fmt"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// alternatives are several ways to find one element. The first that means exactly one
// wins; if none does, the first that means any.
type alternatives []chain

// A chain is a way through shadow roots: each part is looked for in the shadow root of
// the one before, or in that element itself if it has none.
type chain []Selector

// UnmarshalNode implements [kind.Unmarshaler].
func (c *alternatives) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.List || len(n.Items) == 0 {
		return errors.New("got no list, want selectors of the same element, such as [\"#buy\", {text: Buy}]")
	}
	type whole alternatives
	return n.Decode((*whole)(c))
}

// NodeSchema implements [kind.Describer].
func (c *alternatives) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.ListSchema(g.Of(chain{}), 1)
}

// UnmarshalNode reads a selector, or a list of them.
func (c *chain) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.List {
		*c = make(chain, 1)
		return n.Decode(&(*c)[0])
	}
	if len(n.Items) == 0 {
		return errors.New("got an empty list, want the way through shadow roots, such as [my-cart, button]")
	}
	type whole chain
	if err := n.Decode((*whole)(c)); err != nil {
		return err
	}
	for i, s := range *c {
		if s.In != nil || s.Frame != nil || s.Nth != 0 {
			return n.Items[i].Errorf("got in, frame or nth within a list, want them beside any")
		}
	}
	return nil
}

// NodeSchema implements [kind.Describer].
func (c *chain) NodeSchema(g *kind.Schemas) *kind.Schema {
	part := g.Def("part", func() *kind.Schema { return selectorSchema(g, "in", "frame", "nth") })
	return kind.Either(g.Of(Selector{}), kind.ListSchema(part, 1))
}

// String names the first, which stands for all.
func (c *alternatives) String() string {
	switch {
	case c == nil || len(*c) == 0:
		return ""
	case len(*c) == 1:
		return (*c)[0].String()
	}
	return fmt.Sprintf("%s (or %d others)", (*c)[0], len(*c)-1)
}

// all names every one.
func (c *alternatives) all() string {
	list := make([]string, len(*c))
	for i, alternative := range *c {
		list[i] = alternative.String()
	}
	return strings.Join(list, ", ")
}

// String writes the way from outside to inside.
func (c chain) String() string {
	parts := make([]string, len(c))
	for i, s := range c {
		parts[i] = s.String()
	}
	return strings.Join(parts, " > ")
}

// first is the selector to compare with what is on the page.
func (s Selector) first() Selector {
	if s.Any == nil || len(*s.Any) == 0 {
		return s
	}
	way := (*s.Any)[0]
	return way[len(way)-1].first()
}

// tried lists the alternatives, behind "no such element".
func (s Selector) tried() string {
	if s.Any == nil || len(*s.Any) < 2 {
		return ""
	}
	return "; tried " + s.Any.all()
}
