package journeys

import (
	"context"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type arrive struct {
	URL   string `yaml:"url"`   // whole; * stands for any text
	Title string `yaml:"title"` // whole; * stands for any text
}

func arriveKind() kind.Kind[Action] {
	return kind.Of("arrive", "waits until what was done has led to another page, with this whole address and title; * stands for any text",
		"url: \"http://127.0.0.1:8080/orders/*\"\ntitle: Thanks\n", arrive{},
		func(s arrive) (Action, error) { return s, nil })
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *arrive) UnmarshalNode(n kind.Node) error {
	type whole arrive
	return decodeShort(n, &a.URL, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *arrive) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(kind.TextSchema(), g.Fields(*a, nil))
}

// String implements [Action].
func (a arrive) String() string {
	switch {
	case a.URL != "":
		return "arrive at " + redact(a.URL)
	case a.Title != "":
		return "arrive at " + strconv.Quote(a.Title)
	}
	return "arrive at another page"
}

// Do implements [Action].
func (a arrive) Do(ctx context.Context, p *Page, _ *results.Span) error {
	if p.inner == "" && !p.watch.moved(ctx) {
		return &notReady{query{}, answer{State: "not moved"}}
	}
	_, err := p.await(ctx, query{Op: opArrived, Arg: a.URL, Attribute: a.Title})
	if err == nil {
		p.watch.stay()
	}
	return err
}
