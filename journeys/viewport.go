package journeys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type viewport struct {
	Device string  `yaml:"device"`
	Width  int64   `yaml:"width"`
	Height int64   `yaml:"height"`
	Scale  float64 `yaml:"scale"`  // pixels of the screen for one of CSS
	Mobile bool    `yaml:"mobile"` // as pages for phones are laid out
	Touch  *bool   `yaml:"touch"`  // nil is as Mobile
	Turned bool    `yaml:"landscape"`
}

// devices are the screens that have a name.
func devices() map[string]viewport {
	return map[string]viewport{
		"phone":   {Width: 390, Height: 844, Scale: 3, Mobile: true},
		"tablet":  {Width: 820, Height: 1180, Scale: 2, Mobile: true},
		"laptop":  {Width: 1280, Height: 800, Scale: 1},
		"desktop": {Width: 1920, Height: 1080, Scale: 1},
	}
}

func viewportKind() kind.Kind[Action] {
	return kind.Of("viewport", "makes the window as large as that of a device, or as asked for",
		"phone\n", viewport{},
		func(s viewport) (Action, error) {
			const most = 10000
			if s.Device != "" {
				d, ok := devices()[s.Device]
				if !ok {
					return nil, kind.At("device", errors.New(kind.UnknownWord("device", s.Device, slices.Sorted(maps.Keys(devices())))))
				}
				if s.Width != 0 || s.Height != 0 || s.Scale != 0 || s.Mobile || s.Touch != nil || s.Turned {
					return nil, kind.At("device", errors.New("got it beside other keys, want device or width and height"))
				}
				d.Device = s.Device
				return d, nil
			}
			if s.Scale == 0 {
				s.Scale = 1
			}
			switch {
			case s.Width < 1 || s.Width > most:
				return nil, kind.At("width", fmt.Errorf("got %d, want 1 to %d", s.Width, most))
			case s.Height < 1 || s.Height > most:
				return nil, kind.At("height", fmt.Errorf("got %d, want 1 to %d", s.Height, most))
			case s.Scale < 0 || s.Scale > 10:
				return nil, kind.At("scale", fmt.Errorf("got %v, want more than 0 and at most 10", s.Scale))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *viewport) UnmarshalNode(n kind.Node) error {
	type whole viewport
	return decodeShort(n, &a.Device, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *viewport) NodeSchema(g *kind.Schemas) *kind.Schema {
	device := kind.WordsSchema(slices.Sorted(maps.Keys(devices()))...)
	return kind.Either(device, g.Fields(*a, map[string]*kind.Schema{"device": device}))
}

// String implements [Action].
func (a viewport) String() string {
	if a.Device != "" {
		return "viewport " + a.Device
	}
	return fmt.Sprintf("viewport %dx%d", a.Width, a.Height)
}

// Do implements [Action].
func (a viewport) Do(ctx context.Context, p *Page, _ *results.Span) error {
	return p.set(ctx, "screen", a.apply)
}

func (a viewport) apply(ctx context.Context, t *chromedp.Target) error {
	var screen *emulation.ScreenOrientation // that of a desktop
	switch {
	case a.Turned:
		screen = &emulation.ScreenOrientation{Type: emulation.ScreenOrientationTypeLandscapePrimary, Angle: 90}
	case a.Mobile:
		screen = &emulation.ScreenOrientation{Type: emulation.ScreenOrientationTypePortraitPrimary}
	}
	_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: a.Width, Height: a.Height, DeviceScaleFactor: a.Scale, Mobile: a.Mobile, ScreenOrientation: screen,
	})
	if err != nil {
		return err
	}
	touch := a.Mobile
	if a.Touch != nil {
		touch = *a.Touch
	}
	_, err = cdp.Call(ctx, t, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: touch})
	return err
}
