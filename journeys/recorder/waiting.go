package recorder

import (
	"errors"
	"fmt"

	"github.com/foreshock/foreshock/internal/kind"
)

type counting struct {
	selecting
	Operator   literal            `yaml:"operator"`
	Count      amount             `yaml:"count"`
	Visible    flag               `yaml:"visible"` // false waits until this holds no more
	Properties kind.Node          `yaml:"properties"`
	Attributes map[string]literal `yaml:"attributes"`
}

// waitForElement takes an operator that is not said as >=, which is what the runner of
// the recorder's authors does, though their schema says ==.
func waitForElement(s *step) (string, []kind.Node, common, error) {
	c, err := read[counting](s)
	if err == nil {
		err = s.needsSelectors(c.selecting)
	}
	if err != nil {
		return "", nil, c.common, err
	}
	if c.Count < 0 || c.Count != amount(int(c.Count)) {
		return "", nil, c.common, kind.At("count", fmt.Errorf("got %v, want a whole number of at least 0", c.Count))
	}
	of, err := s.selector(c.selecting, false)
	if err != nil {
		return "", nil, c.common, err
	}
	at := s.node.Get("count")
	count := amount(1)
	if s.node.Has("count") {
		count = c.Count
	}
	n := mapping(s.node, field("of", of))
	verb := ""
	switch c.Operator {
	case "", ">=":
		n.Fields = append(n.Fields, field("at_least", number(at, count)))
	case "<=":
		n.Fields = append(n.Fields, field("at_most", number(at, count)))
		verb = "at most "
	case "==":
		n.Fields = append(n.Fields, field("at_least", number(at, count)), field("at_most", number(at, count)))
		verb = "exactly "
	default:
		return "", nil, c.common, kind.At("operator", errors.New(kind.UnknownWord("operator", string(c.Operator), []string{">=", "==", "<="})))
	}
	if props := s.node.Get("properties"); len(props.Fields) > 0 {
		n.Fields = append(n.Fields, field("properties", copied(props)))
	} else if props.Shape == kind.Scalar || props.Shape == kind.List {
		return "", nil, c.common, kind.At("properties", fmt.Errorf("got %s, want an object", props.Shape))
	}
	if attrs := s.node.Get("attributes"); len(attrs.Fields) > 0 {
		n.Fields = append(n.Fields, field("attributes", copied(attrs)))
	}
	name := fmt.Sprintf("wait for %s%g of %s", verb, count, label(c.selecting))
	if count == 1 && verb == "" {
		name = "wait for " + label(c.selecting)
	}
	if s.node.Has("visible") && !bool(c.Visible) {
		n.Fields = append(n.Fields, field("gone", boolean(s.node.Get("visible"), true)))
		name += " to be gone"
	}
	return name, []kind.Node{action("elements", n)}, c.common, nil
}

type expressing struct {
	common
	Expression literal `yaml:"expression"`
}

func waitForExpression(s *step) (string, []kind.Node, common, error) {
	c, err := read[expressing](s)
	if err == nil {
		err = s.needs("expression")
	}
	if err == nil && c.Expression == "" {
		err = kind.At("expression", errors.New("got an empty text, want a JavaScript expression"))
	}
	n := s.framed(mapping(s.node, field("script", text(s.node.Get("expression"), string(c.Expression)))), c.common)
	return "wait until an expression holds", []kind.Node{action("wait_until", n)}, c.common, err
}

// custom refuses: what the step meant is known only to what recorded it.
func custom(s *step) (string, []kind.Node, common, error) {
	name := "without a name"
	if n := s.node.Get("name"); n.Text != "" {
		name = fmt.Sprintf("%q", short(n.Text))
	}
	return "", nil, common{}, s.node.Errorf("step %d: got customStep %s, which only the extension that recorded it can replay; "+
		"leave it out, or write waitForElement or waitForExpression in its place", s.no, name)
}
