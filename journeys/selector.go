package journeys

import (
	"errors"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Selector says which element of a page is meant: a CSS selector, or what a user
// sees of it. Of several elements the first visible one is taken.
type Selector struct {
	By    string `json:"by"` // css, text, label or testid
	Value string `json:"value"`
}

// UnmarshalNode reads a text, which is CSS, or a mapping with one of the ways to find.
func (s *Selector) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.Scalar {
		*s = Selector{"css", n.Text}
		if n.Text == "" {
			return errors.New("got an empty text, want a CSS selector such as #buy")
		}
		return nil
	}
	var f struct {
		CSS    string `yaml:"css"`
		Text   string `yaml:"text"`
		Label  string `yaml:"label"`
		TestID string `yaml:"testid"`
	}
	if err := n.Decode(&f); err != nil {
		return err
	}
	if len(n.Fields) != 1 {
		return n.Errorf("got %d ways to find an element, want one of css, text, label, testid", len(n.Fields))
	}
	*s = Selector{n.Fields[0].Key.Text, f.CSS + f.Text + f.Label + f.TestID}
	if s.Value == "" {
		return n.Locate(kind.At(s.By, errors.New("got an empty text, want what to look for")))
	}
	return nil
}

// String writes the selector as errors and step names show it.
func (s Selector) String() string {
	if s.By == "css" {
		return s.Value
	}
	return s.By + " " + strconv.Quote(s.Value)
}

func (s Selector) required(key string) error {
	if s.Value == "" {
		return kind.At(key, errors.New("got none, want the selector of an element, such as #buy"))
	}
	return nil
}
