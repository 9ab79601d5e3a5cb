package journeys

import (
	"context"
	"errors"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type tabSwitch struct {
	To string `yaml:"to"`
}

func tabKind() kind.Kind[Action] {
	return kind.Of("tab", "goes to the tab or window that a page opened (new), back to the one before (previous), or back and closes it (close)",
		"new\n", tabSwitch{},
		func(s tabSwitch) (Action, error) {
			switch s.To {
			case "new", "previous", "close":
				return s, nil
			}
			return nil, kind.At("to", errors.New(kind.UnknownWord("tab", s.To, []string{"new", "previous", "close"})))
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *tabSwitch) UnmarshalNode(n kind.Node) error {
	type whole tabSwitch
	return decodeShort(n, &a.To, (*whole)(a))
}

// String implements [Action].
func (a tabSwitch) String() string {
	if a.To == "close" {
		return "close tab"
	}
	return "go to " + a.To + " tab"
}

// Do implements [Action].
func (a tabSwitch) Do(ctx context.Context, p *Page, _ *results.Span) error {
	if a.To == "new" {
		return p.enter(ctx)
	}
	return p.leave(ctx, a.To == "close")
}
