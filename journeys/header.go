package journeys

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/http/httpguts"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type header struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

func headerKind() kind.Kind[Action] {
	return kind.Of("header", "sends a header with every request of the page from here on, whatever its host",
		"name: X-Monitor\nvalue: foreshock\n", header{},
		func(s header) (Action, error) {
			if !httpguts.ValidHeaderFieldName(s.Name) {
				return nil, kind.At("name", fmt.Errorf("got %q, want the name of a header, such as X-Monitor", s.Name))
			}
			if !httpguts.ValidHeaderFieldValue(s.Value) {
				return nil, kind.At("value", errors.New("got a value that no header of HTTP can have, want one line"))
			}
			return s, nil
		})
}

// String implements [Action]; the value may be a secret and is left out.
func (a header) String() string { return "send header " + a.Name }

// Do implements [Action].
func (a header) Do(ctx context.Context, p *Page, _ *results.Span) error {
	p.headers[http.CanonicalHeaderKey(a.Name)] = a.Value
	return p.set(ctx, "headers", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: p.headers})
		return err
	})
}
