package journeys

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

//go:embed survey.js
var surveyScript string

// A Survey is what a page has that a journey could use.
type Survey struct {
	Address  string   `json:"address"` // where the browser ended
	Type     string   `json:"type"`    // such as text/html
	Title    string   `json:"title"`
	Headings []string `json:"headings"` // as they are shown, the first on the page first
	Forms    []Form   `json:"forms"`    // with fields that can be used
	Links    []Part   `json:"links"`    // to other pages of the same origin
	Login    bool     `json:"login"`    // it asks for a password
}

// A Form is the fields that belong together, and the button that sends them.
type Form struct {
	Name   string  `json:"name"`   // may be empty
	Fields []Field `json:"fields"` // at least one
	Submit *Part   `json:"submit"` // nil if there is none
}

// A Field is something to fill in.
type Field struct {
	Selector Selector `json:"selector"`
	Type     string   `json:"type"` // as the DOM has it: text, email, select-one ...
	Required bool     `json:"required"`
	Hint     string   `json:"hint"`   // its names in lower case, from which to guess what belongs there
	Least    string   `json:"least"`  // of a number or a date; may be empty
	Option   string   `json:"option"` // of a list, one that can be chosen
}

// A Part is an element that can be clicked.
type Part struct {
	Selector Selector `json:"selector"`
	Name     string   `json:"name"` // what it says
}

// Survey opens an address in a browser of the pool, as the first action of a journey
// would, and looks the page over. Its errors are those of open.
func (p *Pool) Survey(ctx context.Context, address string, timeout time.Duration) (*Survey, error) {
	act, err := Actions().BuildText("open", quote(address))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	page, err := p.page(ctx)
	if err != nil {
		return nil, err
	}
	defer page.close()
	page.secrets, page.endsBy = &kind.Secrets{}, endsBy(ctx)
	var s *Survey
	err = results.NewRecorder().Step(ctx, "survey", func(ctx context.Context, span *results.Span) error {
		if err := page.do(ctx, span, action{Action: act, kind: "open", name: act.String()}, timeout); err != nil {
			return err
		}
		var err error
		s, err = page.survey(ctx)
		return err
	})
	return s, err
}

// survey waits until the page has come to rest, as far as it does, and looks.
func (p *Page) survey(ctx context.Context) (*Survey, error) {
	rest, cancel := context.WithTimeout(ctx, 3*time.Second)
	if err := p.watch.traffic.idle(rest); err != nil && ctx.Err() != nil {
		cancel()
		return nil, fmt.Errorf("look at the page: %w", err)
	}
	cancel()
	arg, err := json.Marshal(map[string]any{"roles": roles()})
	if err != nil {
		return nil, err
	}
	text := "(async (query) => {\n" + roleScript + findScript + surveyScript + "})(" + string(arg) + ")"
	s, err := chromedp.Evaluate[*Survey](text, chromedp.EvalAwaitPromise)(ctx, p.target)
	if err != nil {
		return nil, results.Blind(results.CauseBrowser, fmt.Errorf("look at the page: %w", err))
	}
	return s, nil
}

// Agree keeps of s what another look at the same page saw, too: what differs from one
// look to the next is nothing to hold a page to.
func (s *Survey) Agree(other *Survey) {
	if s.Title != other.Title {
		s.Title = ""
	}
	s.Headings = slices.DeleteFunc(s.Headings, func(h string) bool { return !slices.Contains(other.Headings, h) })
}

// IsPage says why what was found is no page that a journey could walk on, or nil.
func (s *Survey) IsPage() error {
	if s.Type != "text/html" && s.Type != "application/xhtml+xml" {
		return fmt.Errorf("%s: got %s, want a page in HTML; an http check looks at anything else", redact(s.Address), s.Type)
	}
	return nil
}

// LedTo returns where the browser ended, without the query, if that is another page
// than the one that was asked for; else "".
func (s *Survey) LedTo(asked string) string {
	from, err := url.Parse(asked)
	to, err2 := url.Parse(s.Address)
	if errors.Join(err, err2) != nil || from.Host == to.Host && strings.TrimSuffix(from.Path, "/") == strings.TrimSuffix(to.Path, "/") {
		return ""
	}
	return redact(s.Address)
}

// quote writes a text as YAML has it.
func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil { // of a text it does not fail
		return `""`
	}
	return string(b)
}
