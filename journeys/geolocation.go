package journeys

import (
	"context"
	"fmt"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type geolocation struct {
	Latitude  float64 `yaml:"latitude"`  // degrees north
	Longitude float64 `yaml:"longitude"` // degrees east
	Accuracy  float64 `yaml:"accuracy"`  // meters
}

func geolocationKind() kind.Kind[Action] {
	return kind.Of("geolocation", "lets pages know where the user is, without asking",
		"latitude: 52.52\nlongitude: 13.405\n", geolocation{Accuracy: 10},
		func(s geolocation) (Action, error) {
			switch {
			case s.Latitude < -90 || s.Latitude > 90:
				return nil, kind.At("latitude", fmt.Errorf("got %v, want -90 to 90", s.Latitude))
			case s.Longitude < -180 || s.Longitude > 180:
				return nil, kind.At("longitude", fmt.Errorf("got %v, want -180 to 180", s.Longitude))
			case s.Accuracy < 0:
				return nil, kind.At("accuracy", fmt.Errorf("got %v, want meters", s.Accuracy))
			}
			return s, nil
		})
}

// String implements [Action].
func (a geolocation) String() string { return fmt.Sprintf("be at %g, %g", a.Latitude, a.Longitude) }

// Do implements [Action].
func (a geolocation) Do(ctx context.Context, p *Page, _ *results.Span) error {
	own := p.inBrowser()
	_, err := cdp.Call(ctx, own.Browser, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "geolocation"}, Setting: cdpbrowser.PermissionSettingGranted,
		BrowserContextID: own.BrowserContextID,
	})
	if err != nil {
		return err
	}
	return p.set(ctx, "geolocation", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetGeolocationOverride, emulation.SetGeolocationOverrideParams{
			Latitude: &a.Latitude, Longitude: &a.Longitude, Accuracy: &a.Accuracy,
		})
		return err
	})
}
