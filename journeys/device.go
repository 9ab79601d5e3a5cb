package journeys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type device struct {
	Name      string `yaml:"name"`      // such as iPhone 15
	Landscape bool   `yaml:"landscape"` // on its side
}

func deviceKind() kind.Kind[Action] {
	return kind.Of("device", "looks to pages like a phone or a tablet: window, scale, touch and what the browser calls itself",
		"iPhone 15\n", device{},
		func(s device) (Action, error) {
			if _, ok := models()[s.Name]; !ok {
				return nil, kind.At("name", errors.New(kind.UnknownWord("device", s.Name, slices.Sorted(maps.Keys(models())))))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *device) UnmarshalNode(n kind.Node) error {
	type whole device
	return decodeShort(n, &a.Name, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *device) NodeSchema(g *kind.Schemas) *kind.Schema {
	name := kind.WordsSchema(slices.Sorted(maps.Keys(models()))...)
	s := g.Fields(*a, map[string]*kind.Schema{"name": name})
	s.Required = []string{"name"}
	return kind.Either(name, s)
}

// String implements [Action].
func (a device) String() string {
	if a.Landscape {
		return "device " + a.Name + " in landscape"
	}
	return "device " + a.Name
}

// Do implements [Action].
func (a device) Do(ctx context.Context, p *Page, _ *results.Span) error {
	m := models()[a.Name]
	if err := p.asks(ctx); err != nil {
		return err
	}
	if m.android == "" {
		p.agent.UserAgent, p.agent.Platform, p.agent.UserAgentMetadata = m.safari(), strings.Fields(a.Name)[0], nil
	} else {
		m.chrome(&p.agent, p.version)
	}
	if err := p.setAgent(ctx); err != nil {
		return err
	}
	screen := viewport{Width: m.width, Height: m.height, Scale: m.scale, Mobile: true}
	if a.Landscape {
		screen.Width, screen.Height, screen.Turned = screen.Height, screen.Width, true
	}
	return p.set(ctx, "screen", screen.apply)
}

// asks learns what the browser calls itself.
func (p *Page) asks(ctx context.Context) error {
	if p.version != "" {
		return nil
	}
	v, err := cdp.Call(ctx, p.inBrowser().Browser, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		return err
	}
	_, number, _ := strings.Cut(v.Product, "/")
	p.version, _, _ = strings.Cut(number, ".")
	if p.agent.UserAgent == "" {
		p.agent.UserAgent = v.UserAgent
	}
	return nil
}

// setAgent tells pages what the browser calls itself, and its language.
func (p *Page) setAgent(ctx context.Context) error {
	if err := p.asks(ctx); err != nil {
		return err
	}
	agent := p.agent
	return p.set(ctx, "agent", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, agent)
		return err
	})
}

// A model is a device that people have.
type model struct {
	width, height int64 // of the window below the browser's bars, upright
	scale         float64
	android       string // its version; empty is iOS
	code          string // the version of iOS, or what the device calls itself
}

// models are the devices by the names that people know them by.
func models() map[string]model {
	return map[string]model{
		"iPhone SE":     {375, 667, 2, "", "17_5"},
		"iPhone 13":     {390, 664, 3, "", "17_5"},
		"iPhone 14":     {390, 664, 3, "", "17_5"},
		"iPhone 15":     {393, 659, 3, "", "17_5"},
		"iPhone 15 Pro": {393, 659, 3, "", "17_5"},
		"iPhone 16":     {393, 659, 3, "", "18_5"},
		"iPhone 17":     {402, 681, 3, "", "18_5"},
		"iPad":          {810, 1080, 2, "", "17_5"},
		"iPad Mini":     {768, 1024, 2, "", "17_5"},
		"iPad Pro 11":   {834, 1194, 2, "", "17_5"},
		"Pixel 5":       {393, 727, 2.75, "11", "Pixel 5"},
		"Pixel 7":       {412, 839, 2.625, "14", "Pixel 7"},
		"Pixel 8":       {412, 839, 2.625, "14", "Pixel 8"},
		"Pixel 9":       {412, 839, 2.625, "15", "Pixel 9"},
		"Galaxy S9+":    {320, 658, 4.5, "10", "SM-G965U"},
		"Galaxy S24":    {360, 780, 3, "14", "SM-S921U"},
		"Galaxy Tab S9": {640, 1024, 2.5, "14", "SM-X710"},
	}
}

func (m model) safari() string {
	system := "iPhone; CPU iPhone OS " + m.code
	if m.width > 600 {
		system = "iPad; CPU OS " + m.code
	}
	version := strings.ReplaceAll(m.code, "_", ".")
	return fmt.Sprintf("Mozilla/5.0 (%s like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%s Mobile/15E148 Safari/604.1", system, version)
}

// chrome is what Chrome for Android of the browser's own version says, which leaves
// the model out but of its hints.
func (m model) chrome(to *emulation.SetUserAgentOverrideParams, version string) {
	phone := m.width < 600
	mobile := ""
	if phone {
		mobile = " Mobile"
	}
	to.UserAgent = fmt.Sprintf("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s.0.0.0%s Safari/537.36", version, mobile)
	to.Platform = "Linux armv81"
	to.UserAgentMetadata = &emulation.UserAgentMetadata{
		Brands: []*emulation.UserAgentBrandVersion{
			{Brand: "Chromium", Version: version}, {Brand: "Google Chrome", Version: version}, {Brand: "Not_A Brand", Version: "24"},
		},
		Platform: "Android", PlatformVersion: m.android + ".0.0", Model: m.code, Mobile: phone,
	}
}
