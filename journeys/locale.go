package journeys

import (
	"context"
	"fmt"
	"regexp"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// localeForm is a language, with a script and a country if need be.
const localeForm = `^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`

type locale struct {
	Name string `yaml:"name"` // a language and a country, such as de-DE
}

func localeKind() kind.Kind[Action] {
	return kind.Of("locale", "sets the language that pages see and are asked for in, and how they write numbers and dates",
		"de-DE\n", locale{},
		func(s locale) (Action, error) {
			if !regexp.MustCompile(localeForm).MatchString(s.Name) {
				return nil, kind.At("name", fmt.Errorf("got %q, want a language and a country such as de-DE", s.Name))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *locale) UnmarshalNode(n kind.Node) error {
	type whole locale
	return decodeShort(n, &a.Name, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *locale) NodeSchema(g *kind.Schemas) *kind.Schema {
	name := kind.PatternSchema(localeForm, "de-DE")
	s := g.Fields(*a, map[string]*kind.Schema{"name": name})
	s.Required = []string{"name"}
	return kind.Either(name, s)
}

// String implements [Action].
func (a locale) String() string { return "locale " + a.Name }

// Do implements [Action].
func (a locale) Do(ctx context.Context, p *Page, _ *results.Span) error {
	p.agent.AcceptLanguage = a.Name
	if err := p.setAgent(ctx); err != nil {
		return err
	}
	return p.set(ctx, "locale", func(ctx context.Context, t *chromedp.Target) error {
		// The browser refuses a second locale before the first is taken back.
		for _, name := range []string{"", a.Name} {
			if _, err := cdp.Call(ctx, t, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: name}); err != nil {
				return err
			}
		}
		return nil
	})
}
