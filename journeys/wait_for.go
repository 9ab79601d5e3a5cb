package journeys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type waitFor struct {
	Visible  Selector `yaml:"visible"`
	Gone     Selector `yaml:"gone"`
	Enabled  Selector `yaml:"enabled"`
	URL      string   `yaml:"url"`
	Network  string   `yaml:"network"`
	Response awaited  `yaml:"response"`
}

func waitForKind() kind.Kind[Action] {
	return kind.Of("wait_for", "waits until an element is visible, gone or enabled, for an address, for the response of a request, or for a quiet network",
		"\"#order-status\"\n", waitFor{},
		func(s waitFor) (Action, error) {
			if s.Network != "" && s.Network != "idle" {
				return nil, kind.At("network", fmt.Errorf("got %q, want idle: nothing under way for %v", s.Network, quiet))
			}
			if s == (waitFor{}) {
				return nil, errors.New("got nothing to wait for, want the selector of an element, or visible, gone, enabled, url, response or network")
			}
			return s, nil
		})
}

// UnmarshalNode reads a selector, which is to be visible, or a mapping that says more.
func (a *waitFor) UnmarshalNode(n kind.Node) error {
	own := []string{"visible", "gone", "enabled", "url", "response", "network"}
	if n.Shape != kind.Mapping || !slices.ContainsFunc(own, n.Has) {
		return a.Visible.UnmarshalNode(n)
	}
	if len(n.Fields) > 1 {
		return n.Errorf("got %d things to wait for, want one of visible, gone, enabled, url, response, network", len(n.Fields))
	}
	type whole waitFor
	return n.Decode((*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *waitFor) NodeSchema(g *kind.Schemas) *kind.Schema {
	one := g.Fields(*a, map[string]*kind.Schema{"network": kind.WordsSchema("idle")})
	one.MinFields, one.MaxFields = 1, 1
	return kind.Either(g.Of(Selector{}), one)
}

// String implements [Action].
func (a waitFor) String() string {
	switch {
	case a.Gone.Value != "":
		return "wait for " + a.Gone.String() + " to be gone"
	case a.Enabled.Value != "":
		return "wait for " + a.Enabled.String() + " to be enabled"
	case a.URL != "":
		return "wait for url " + strconv.Quote(redact(a.URL))
	case a.Response.URL != "":
		return "wait for " + a.Response.String()
	case a.Network != "":
		return "wait for network idle"
	}
	return "wait for " + a.Visible.String()
}

// Do implements [Action].
func (a waitFor) Do(ctx context.Context, p *Page, _ *results.Span) error {
	q := query{Selector: a.Visible, Op: opVisible}
	switch {
	case a.Gone.Value != "":
		q = query{Selector: a.Gone, Op: opGone}
	case a.Enabled.Value != "":
		q = query{Selector: a.Enabled, Op: opEnabled}
	case a.URL != "":
		q = query{Op: opURL, Arg: a.URL}
	case a.Response.URL != "":
		return a.Response.wait(ctx, p)
	case a.Network != "":
		return p.watch.traffic.idle(ctx)
	}
	_, err := p.await(ctx, q)
	return err
}
