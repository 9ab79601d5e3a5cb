package journeys

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type see struct {
	Text      string   `yaml:"text"`
	URL       string   `yaml:"url"`
	Title     string   `yaml:"title"`
	Count     *int     `yaml:"count"`
	Of        Selector `yaml:"of"` // what Count counts
	Value     *string  `yaml:"value"`
	Attribute string   `yaml:"attribute"` // empty is the value of the field itself
	Console   string   `yaml:"console"`
	Dialog    string   `yaml:"dialog"`
	In        Selector `yaml:"in"` // empty is the whole page
}

func seeKind() kind.Kind[Action] {
	return kind.Of("see", "waits until the page, or one element of it, shows what it should",
		"Order placed\n", see{},
		func(s see) (Action, error) {
			s.Text = strings.Join(strings.Fields(s.Text), " ")
			return s, s.check()
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *see) UnmarshalNode(n kind.Node) error {
	type whole see
	return decodeShort(n, &a.Text, (*whole)(a))
}

func (a see) check() error {
	ways := 0
	for _, given := range []bool{a.Text != "", a.URL != "", a.Title != "", a.Count != nil, a.Value != nil, a.Console != "", a.Dialog != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return kind.At("text", errors.New("got none, want a text that the page shows, or url, title, count, value, console or dialog"))
	case ways > 1:
		return fmt.Errorf("got %d things to see, want one of text, url, title, count, value, console, dialog", ways)
	case a.Value != nil && a.In.Value == "":
		return kind.At("in", errors.New("got none beside value, want the selector of an element"))
	case a.Attribute != "" && a.Value == nil:
		return kind.At("attribute", errors.New("got it without value, want the value that it has"))
	case a.Count != nil && *a.Count < 0:
		return kind.At("count", fmt.Errorf("got %d, want 0 or more", *a.Count))
	case (a.Count != nil) != (a.Of.Value != ""):
		return kind.At("of", errors.New("want count and of: SELECTOR together"))
	case a.Of.Nth != 0:
		return kind.At("of", errors.New("got nth, want all of them counted"))
	case a.In.Value != "" && a.Text == "" && a.Value == nil:
		return kind.At("in", errors.New("want it beside text or value only"))
	case a.Console != "" && a.Console != "clean":
		return kind.At("console", fmt.Errorf("got %q, want clean: no error so far", a.Console))
	}
	return nil
}

// NodeSchema implements [kind.Describer].
func (a *see) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(kind.TextSchema(), g.Fields(*a, nil))
}

// String implements [Action].
func (a see) String() string {
	var s string
	switch {
	case a.URL != "":
		return "see url " + strconv.Quote(redact(a.URL))
	case a.Title != "":
		return "see title " + strconv.Quote(a.Title)
	case a.Count != nil:
		return fmt.Sprintf("see %d of %s", *a.Count, a.Of)
	case a.Console != "":
		return "see a clean console"
	case a.Dialog != "":
		return "see dialog " + strconv.Quote(a.Dialog)
	case a.Attribute != "":
		s = "see " + a.Attribute + " " + strconv.Quote(*a.Value)
	case a.Value != nil:
		s = "see value " + strconv.Quote(*a.Value)
	default:
		s = "see " + strconv.Quote(a.Text)
	}
	if a.In.Value != "" {
		s += " in " + a.In.String()
	}
	return s
}

// Do implements [Action]. Spaces and line ends count as one space, as they do for
// whoever looks. What the named element shows is told with the result.
func (a see) Do(ctx context.Context, p *Page, span *results.Span) error {
	q := query{Selector: a.In, Op: opSee, Arg: a.Text}
	switch {
	case a.URL != "":
		q.Op, q.Arg = opURL, a.URL
	case a.Title != "":
		q.Op, q.Arg = opTitle, a.Title
	case a.Count != nil:
		q.Selector, q.Op, q.Arg = a.Of, opCount, strconv.Itoa(*a.Count)
	case a.Value != nil:
		q.Op, q.Arg, q.Attribute = opValue, *a.Value, a.Attribute
	case a.Console != "":
		return p.consoleClean()
	case a.Dialog != "":
		return p.seeDialog(ctx, a.Dialog)
	}
	seen, err := p.await(ctx, q)
	if err == nil && a.Text != "" && a.In.Value != "" {
		span.Say(p.mask(seen.Detail))
	}
	return err
}
