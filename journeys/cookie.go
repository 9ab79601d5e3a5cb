package journeys

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type cookie struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
	URL   string `yaml:"url"` // of a page that gets it
}

func cookieKind() kind.Kind[Action] {
	return kind.Of("cookie", "sets a cookie for the host of an address",
		"name: consent\nvalue: all\nurl: http://shop.test/\n", cookie{},
		func(s cookie) (Action, error) {
			if s.Name == "" {
				return nil, kind.At("name", errors.New("got none, want the name of the cookie"))
			}
			if u, err := url.Parse(s.URL); err != nil || u.Host == "" {
				return nil, kind.At("url", fmt.Errorf("got %q, want the address of a page that gets the cookie", redact(s.URL)))
			}
			return s, nil
		})
}

// String implements [Action]; the value may be a secret and is left out.
func (a cookie) String() string { return "set cookie " + a.Name }

// Do implements [Action].
func (a cookie) Do(ctx context.Context, p *Page, _ *results.Span) error {
	_, err := cdp.Call(ctx, p.target, network.SetCookie, network.SetCookieParams{Name: a.Name, Value: a.Value, URL: a.URL})
	return err
}
