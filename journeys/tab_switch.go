package journeys

import (
	"context"
	"errors"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type tabSwitch struct {
	To  string `yaml:"to"`  // new, previous, first or close
	URL string `yaml:"url"` // whole; * stands for any text
}

func tabKind() kind.Kind[Action] {
	return kind.Of("tab", "goes to the tab or window that a page opened (new), to that at an address, back to the one before (previous) or to the first (first), or back and closes it (close)",
		"new\n", tabSwitch{},
		func(s tabSwitch) (Action, error) {
			switch {
			case s.URL != "" && s.To != "":
				return nil, kind.At("url", errors.New("got it beside to, want one of them"))
			case s.URL == "" && !slices.Contains(tabWords(), s.To):
				return nil, kind.At("to", errors.New(kind.UnknownWord("tab", s.To, tabWords())))
			}
			return s, nil
		})
}

// tabWords are the tabs that have no address.
func tabWords() []string { return []string{"new", "previous", "first", "close"} }

// UnmarshalNode implements [kind.Unmarshaler].
func (a *tabSwitch) UnmarshalNode(n kind.Node) error {
	type whole tabSwitch
	return decodeShort(n, &a.To, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *tabSwitch) NodeSchema(g *kind.Schemas) *kind.Schema {
	to := kind.WordsSchema(tabWords()...)
	one := g.Fields(*a, map[string]*kind.Schema{"to": to})
	one.MinFields, one.MaxFields = 1, 1
	return kind.Either(to, one)
}

// String implements [Action].
func (a tabSwitch) String() string {
	switch {
	case a.To == "close":
		return "close tab"
	case a.URL != "":
		return "go to tab " + redact(a.URL)
	}
	return "go to " + a.To + " tab"
}

// Do implements [Action].
func (a tabSwitch) Do(ctx context.Context, p *Page, _ *results.Span) error {
	switch {
	case a.URL != "":
		return p.visit(ctx, a.URL)
	case a.To == "new":
		return p.enter(ctx)
	case a.To == "first":
		return p.goHome(ctx)
	}
	return p.leave(ctx, a.To == "close")
}
