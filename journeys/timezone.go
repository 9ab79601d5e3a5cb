package journeys

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type timezone struct {
	Name string `yaml:"name"` // as in the IANA data base, such as Europe/Berlin or UTC
}

func timezoneKind() kind.Kind[Action] {
	return kind.Of("timezone", "sets the time zone that pages see",
		"Europe/Berlin\n", timezone{},
		func(s timezone) (Action, error) {
			if _, err := time.LoadLocation(s.Name); err != nil || s.Name == "" || s.Name == "Local" {
				return nil, kind.At("name", fmt.Errorf("got %q, want the name of a time zone such as Europe/Berlin or UTC", s.Name))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *timezone) UnmarshalNode(n kind.Node) error {
	type whole timezone
	return decodeShort(n, &a.Name, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *timezone) NodeSchema(g *kind.Schemas) *kind.Schema {
	name := kind.PatternSchema("^[A-Za-z]", "Europe/Berlin")
	s := g.Fields(*a, map[string]*kind.Schema{"name": name})
	s.Required = []string{"name"}
	return kind.Either(name, s)
}

// String implements [Action].
func (a timezone) String() string { return "time zone " + a.Name }

// Do implements [Action].
func (a timezone) Do(ctx context.Context, p *Page, _ *results.Span) error {
	return p.set(ctx, "timezone", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: a.Name})
		return err
	})
}
