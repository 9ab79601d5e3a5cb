package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// A Selection says which pacts of a provider are asked for. The zero Selection leaves
// the choice to the broker.
type Selection struct {
	Selectors []Selector
	Branch    string   // of the provider's version
	Tags      []string // of the provider's version
	Pending   bool     // what the provider's branch never kept yet is pending, not broken
	WIPSince  string   // work in progress that was published since, YYYY-MM-DD; it needs Pending
}

// Check says what is wrong with the selection.
func (s Selection) Check() error {
	for _, sel := range s.Selectors {
		if sel.MatchingBranch && s.Branch == "" {
			return errors.New("matchingBranch: got no branch of the provider, want provider-branch")
		}
	}
	if (s.Pending || s.WIPSince != "") && s.Branch == "" && len(s.Tags) == 0 {
		return errors.New("pending: got no branch or tag of the provider, want provider-branch: the broker tells by it what was kept before")
	}
	return nil
}

// A Pact is one that the broker wants to be verified.
type Pact struct {
	Name    string // as the broker titles it
	URL     string
	Content []byte // the pact itself
	Pending bool   // broken, it must not fail the provider's build
	WIP     bool   // it is work in progress, which the selectors did not ask for
	Notices []Notice

	publish string // where results of it go; empty: the broker takes none
}

// A Notice is a sentence of the broker for whoever reads the output, and when it is to
// be shown, such as before_verification.
type Notice struct {
	When string `json:"when"`
	Text string `json:"text"`
}

// ErrNoProvider is that the broker knows no participant of the provider's name.
var ErrNoProvider = errors.New("the broker knows no such provider")

// Pacts fetches the pacts that provider is to be held to; none is no error.
func (c *Client) Pacts(ctx context.Context, provider string, s Selection) ([]Pact, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	index, err := c.index(ctx)
	if err != nil {
		return nil, err
	}
	rel := "pb:provider-pacts-for-verification"
	if len(index.Links[rel]) == 0 && len(index.Links["beta:provider-pacts-for-verification"]) > 0 {
		rel = "beta:provider-pacts-for-verification"
	}
	to, err := c.link(index, rel, map[string]string{"provider": provider})
	if err != nil {
		return nil, err
	}
	list, err := c.do(ctx, http.MethodPost, to, selectionBody(s))
	if status(err) == http.StatusNotFound {
		return nil, fmt.Errorf("%w: %s (%w)", ErrNoProvider, provider, err)
	}
	if err != nil {
		return nil, err
	}
	var doc struct {
		Embedded struct {
			Pacts []listed
		} `json:"_embedded"`
	}
	if err := list.decode(&doc); err != nil {
		return nil, err
	}
	var pacts []Pact
	for _, l := range doc.Embedded.Pacts {
		p, err := c.pact(ctx, list, l)
		if err != nil {
			return nil, err
		}
		pacts = append(pacts, p)
	}
	return pacts, nil
}

// selectionBody is what the broker is asked; it defaults to the latest pact of each
// consumer.
func selectionBody(s Selection) any {
	type body struct {
		Selectors []Selector `json:"consumerVersionSelectors,omitempty"`
		Branch    string     `json:"providerVersionBranch,omitempty"`
		Tags      []string   `json:"providerVersionTags,omitempty"`
		Pending   bool       `json:"includePendingStatus"`
		WIPSince  string     `json:"includeWipPactsSince,omitempty"`
	}
	return body{s.Selectors, s.Branch, s.Tags, s.Pending || s.WIPSince != "", s.WIPSince}
}

// listed is a pact in the broker's list.
type listed struct {
	ShortDescription string
	Properties       struct {
		Pending, WIP bool
		Notices      []Notice
	} `json:"verificationProperties"`
	Links map[string]links `json:"_links"`
}

func (c *Client) pact(ctx context.Context, list resource, l listed) (Pact, error) {
	if len(l.Links["self"]) == 0 {
		return Pact{}, &Error{
			http.MethodPost, list.at, http.StatusOK, results.CauseNetwork,
			errors.New("a pact without a link to itself, want self"),
		}
	}
	self := l.Links["self"][0]
	to, err := list.resolve(self.Href)
	if err != nil {
		return Pact{}, err
	}
	r, err := c.get(ctx, to)
	if err != nil {
		return Pact{}, err
	}
	p := Pact{
		Name: cmp.Or(self.Name, l.ShortDescription, to), URL: to, Content: r.body,
		Pending: l.Properties.Pending, WIP: l.Properties.WIP, Notices: l.Properties.Notices,
	}
	if len(r.Links["pb:publish-verification-results"]) > 0 {
		if p.publish, err = c.link(r, "pb:publish-verification-results", nil); err != nil {
			return Pact{}, err
		}
	}
	return p, nil
}

// Say returns the texts of the notices that are for the moment.
func (p Pact) Say(when string) (texts []string) {
	for _, n := range p.Notices {
		if strings.HasPrefix(n.When, when) {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// decode reads the resource into v.
func (r resource) decode(v any) error {
	if err := json.Unmarshal(r.body, v); err != nil {
		return &Error{http.MethodGet, r.at, http.StatusOK, results.CauseNetwork, fmt.Errorf("a document of another form: %w", err)}
	}
	return nil
}
