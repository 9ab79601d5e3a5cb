package journeys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type open struct {
	URL string `yaml:"url"`
}

func openKind() kind.Kind[Action] {
	return kind.Of("open", "opens an address and waits until the page has loaded",
		"http://127.0.0.1:8080/\n", open{},
		func(s open) (Action, error) {
			u, err := url.Parse(s.URL)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return nil, fmt.Errorf("got %q, want an address with http:// or https://", s.URL)
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *open) UnmarshalNode(n kind.Node) error {
	type whole open
	return decodeShort(n, &a.URL, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *open) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(kind.TextSchema(), g.Fields(*a, nil))
}

// String implements [Action].
func (a open) String() string { return "open " + redact(a.URL) }

// Do implements [Action]. An answer of 400 and above is critical.
func (a open) Do(ctx context.Context, p *Page, span *results.Span) error {
	p.watch.expectLoad()
	p.watch.stay()
	_, err := chromedp.NavigateResponse(a.URL)(ctx, p.target)
	status := p.watch.documentStatus()
	if status > 0 {
		span.Set("status_code", float64(status))
	}
	var load *chromedp.LoadError
	if status >= http.StatusBadRequest && (err == nil || errors.As(err, &load)) {
		return results.Fault(results.CauseAnswer,
			fmt.Errorf("answered %d %s, want less than 400", status, http.StatusText(status)))
	}
	if errors.As(err, &load) && load.ErrorText == "net::ERR_ABORTED" && status > 0 {
		return results.Fault(results.CauseAnswer,
			fmt.Errorf("answered %d %s with a download or with nothing to show, want a page", status, http.StatusText(status)))
	}
	return err
}

// redact leaves out of an address what must not be shown: a password, and the query,
// which may hold a token and would make names differ from run to run.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an unreadable address"
	}
	if u.RawQuery != "" {
		u.RawQuery = "..."
	}
	u.Fragment, u.RawFragment = "", ""
	return u.Redacted()
}
