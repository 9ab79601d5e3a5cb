package journeys

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/foreshock/foreshock/internal/kind"
)

// responsesKept bounds what a page that asks all the time can take.
const responsesKept = 1000

// A response is an answer to a request of the page, or what became of it instead.
type response struct {
	method, address string
	status          int
	failure         string // such as net::ERR_CONNECTION_REFUSED
	at              time.Time
}

// responses are the last ones of a tab.
type responses struct {
	mu    sync.Mutex
	asked map[network.RequestID]response
	list  []response
}

// event takes one event of the tab.
func (r *responses) event(ev any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if ev.RedirectResponse != nil {
			r.answered(ev.RequestID, int(ev.RedirectResponse.Status), "")
		}
		if r.asked == nil {
			r.asked = map[network.RequestID]response{}
		}
		if len(r.asked) < responsesKept {
			r.asked[ev.RequestID] = response{method: ev.Request.Method, address: ev.Request.URL}
		}
	case *network.EventResponseReceived:
		r.answered(ev.RequestID, int(ev.Response.Status), "")
	case *network.EventLoadingFailed:
		r.answered(ev.RequestID, 0, ev.ErrorText)
	}
}

func (r *responses) answered(id network.RequestID, status int, failure string) {
	a, ok := r.asked[id]
	if !ok {
		return
	}
	delete(r.asked, id)
	a.status, a.failure, a.at = status, failure, time.Now()
	if len(r.list) == responsesKept {
		r.list = slices.Delete(r.list, 0, responsesKept/2)
	}
	r.list = append(r.list, a)
}

// since lists the responses that came after a moment.
func (r *responses) since(begin time.Time) []response {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.list, func(a response) bool { return a.at.After(begin) })
	if i < 0 {
		return nil
	}
	return slices.Clone(r.list[i:])
}

// An awaited is the response that wait_for waits for.
type awaited struct {
	Method string `yaml:"method"` // empty is any
	URL    string `yaml:"url"`    // a part of the address
	Status int    `yaml:"status"` // 0 is any but a failure
}

// UnmarshalNode reads a part of the address, or a mapping that says more.
func (a *awaited) UnmarshalNode(n kind.Node) error {
	type whole awaited
	if err := decodeShort(n, &a.URL, (*whole)(a)); err != nil {
		return err
	}
	switch {
	case a.URL == "":
		return kind.At("url", errors.New("got none, want a part of the request's address, such as /api/order"))
	case a.Status != 0 && (a.Status < 100 || a.Status > 599):
		return kind.At("status", fmt.Errorf("got %d, want 100 to 599", a.Status))
	}
	a.Method = strings.ToUpper(a.Method)
	return nil
}

// NodeSchema implements [kind.Describer].
func (a *awaited) NodeSchema(g *kind.Schemas) *kind.Schema {
	address := kind.TextSchema()
	address.MinLength = 1
	s := g.Fields(*a, map[string]*kind.Schema{"url": address})
	s.Required = []string{"url"}
	return kind.Either(address, s)
}

func (a awaited) String() string {
	s := "response of " + a.request()
	if a.Status != 0 {
		s += " with " + strconv.Itoa(a.Status)
	}
	return s
}

func (a awaited) request() string {
	return strings.TrimSpace(a.Method + " " + redact(a.URL))
}

// wait returns when the response is there: it may have come at any time since the last
// action that was more than a look.
func (a awaited) wait(ctx context.Context, p *Page) error {
	for {
		came := p.watch.responses.since(p.acted)
		asked := slices.DeleteFunc(slices.Clone(came), func(r response) bool {
			return a.Method != "" && r.method != a.Method || !strings.Contains(r.address, a.URL)
		})
		if slices.ContainsFunc(asked, func(r response) bool { return r.failure == "" && (a.Status == 0 || r.status == a.Status) }) {
			return nil
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return &notReady{query{}, answer{State: "no response", Detail: a.instead(asked, came)}}
		}
	}
}

// instead says what came in the place of the response.
func (a awaited) instead(asked, came []response) string {
	if len(asked) > 0 {
		last := asked[len(asked)-1]
		if last.failure != "" {
			return "the request failed with " + last.failure
		}
		return "the response has " + strconv.Itoa(last.status)
	}
	if len(came) == 0 {
		return "no request has had a response since the last action"
	}
	var others []string
	for _, r := range came[max(0, len(came)-3):] {
		path := redact(r.address)
		if u, err := url.Parse(r.address); err == nil && u.Host != "" {
			path = u.Path
		}
		others = append(others, fmt.Sprintf("%s %s (%d)", r.method, path, r.status))
	}
	return "no such request, the last ones were " + strings.Join(others, ", ")
}
