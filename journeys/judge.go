package journeys

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// evidenceLimit is how long it may take to learn what the page shows.
const evidenceLimit = 2 * time.Second

// A notReady is an action that the page did not allow in time.
type notReady struct {
	query query
	last  answer
}

// Error says what was wrong with the page when it was last seen.
func (e *notReady) Error() string {
	if e.last.Outer > 0 {
		return e.part().String() + ": " + e.say()
	}
	return e.say()
}

// part is what the state is about: the selector, or one that it is in.
func (e *notReady) part() Selector {
	s := e.query.Selector
	for range e.last.Outer {
		s = *s.In
	}
	return s
}

func (e *notReady) say() string {
	if text := e.sayOfAct(); text != "" {
		return text
	}
	switch e.last.State {
	case "missing":
		return "no such " + e.part().noun() + e.part().tried()
	case "several":
		return "matches " + e.last.Detail + "; want one: say more, or which with nth"
	case "few":
		return fmt.Sprintf("there are only %s", e.last.Detail)
	case "hidden":
		return "not visible"
	case "disabled":
		return "disabled"
	case "covered":
		return "covered by " + e.last.Detail
	case "no field":
		return "is " + e.last.Detail + ", want a field to type into"
	case "read-only":
		return "read-only"
	case "no list":
		return "is " + e.last.Detail + ", want a select"
	case "no option":
		return fmt.Sprintf("has no such option, only: %s", e.last.Detail)
	case "unseen":
		return "not on the page"
	case "moving":
		return "did not keep still"
	case ready:
		return "the page was too busy to say what it shows; now it is as wanted"
	}
	return "the page did not answer: its scripts keep it busy, or the machine does"
}

// judge says who is to blame for the error of an action, and adds what the page shows.
func (p *Page) judge(ctx context.Context, a action, err error, waited time.Duration) error {
	var (
		judged *results.Error
		load   *chromedp.LoadError
		wait   *notReady
	)
	if p.closedItself(err) {
		return results.Fault(results.CauseAnswer, fmt.Errorf("%s: the tab was closed; go on with tab: previous", a.name))
	}
	if lost := p.lost(); lost != nil {
		return results.Blind(results.CauseBrowser, fmt.Errorf("%s: %w", a.name, lost))
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: stopped after %v: %w", a.name, round(waited), context.Canceled)
	}
	switch {
	case errors.As(err, &judged):
		return p.explained(ctx, a, judged.Status, judged.Cause, err.Error(), query{})
	case errors.As(err, &load):
		status, cause := p.loadFailure(ctx, load.ErrorText)
		return p.explained(ctx, a, status, cause, load.ErrorText+" at "+redact(p.watch.document()), query{})
	case (errors.As(err, &wait) && wait.last.State == "" || errors.Is(err, context.DeadlineExceeded)) && p.hangs(ctx):
		return results.Blind(results.CauseBrowser, fmt.Errorf("%s: the page hangs: its process did not answer for %v and more", a.name, round(waited)))
	case wait != nil:
		return p.explained(ctx, a, results.Critical, results.CauseTimeout,
			fmt.Sprintf("%v after %v", err, round(waited)), query{Selector: wait.part().first(), Op: wait.query.Op})
	case errors.Is(err, context.DeadlineExceeded):
		return p.explained(ctx, a, results.Critical, results.CauseTimeout, p.hanging(waited), query{})
	}
	return results.Blind(results.CauseBrowser, fmt.Errorf("%s: %w", a.name, err))
}

// hangs reports whether the page's process answers nothing at all, as when a script
// never ends: what such a page would have shown cannot be told. A service that has not
// answered yet is none of that, and neither is a run without time left to ask.
func (p *Page) hangs(ctx context.Context) bool {
	if p.watch.document() != "" && p.watch.documentStatus() == 0 {
		return false
	}
	limit := evidenceLimit
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)-evidenceLimit/10)
	}
	if limit < evidenceLimit/4 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := cdp.Call(ctx, p.target, runtime.Evaluate, runtime.EvaluateParams{Expression: "0"})
	return errors.Is(err, context.DeadlineExceeded)
}

// hanging says what a page that was asked for has come to.
func (p *Page) hanging(waited time.Duration) string {
	address := p.watch.document()
	switch {
	case address == "":
		return fmt.Sprintf("not done after %v", round(waited))
	case p.watch.documentStatus() == 0:
		return fmt.Sprintf("no answer from %s after %v", redact(address), round(waited))
	}
	return fmt.Sprintf("%s answered %d but had not loaded after %v", redact(address), p.watch.documentStatus(), round(waited))
}

// explained makes the error of an action, in at most three lines: what was wrong, what the
// page shows, and what else was wrong with it. It may come from the page and is masked.
func (p *Page) explained(ctx context.Context, a action, s results.Status, c results.Cause, text string, q query) error {
	text = a.name + ": " + text + p.shown(ctx, q)
	if also := p.condition(); also != "" {
		text += "\n" + also
	}
	return &results.Error{Status: s, Cause: c, Err: errors.New(p.mask(text))}
}

// shown describes the page: what resembles the element that q looked for, its
// address, title and first words. It is empty if the page cannot tell.
func (p *Page) shown(ctx context.Context, q query) string {
	ctx, cancel := context.WithTimeout(ctx, evidenceLimit)
	defer cancel()
	missed, op := q.sought(), q.Op
	q.Op = opExplain
	page, err := evaluate[struct {
		URL, Title, Says, State string
		Near                    []string
	}](ctx, p, q)
	if err != nil || !strings.HasPrefix(page.URL, "http") {
		return ""
	}
	var text strings.Builder
	if len(page.Near) > 0 && op != opSee && op != opGone && op != opCount {
		switch near := kind.Nearest(missed, page.Near); {
		case near == missed && near != "": // it is there, and not as it should be
		case q.By == "role":
			fmt.Fprintf(&text, "; there are: %s", cut(p.mask(strings.Join(page.Near, ", ")), 160))
		case near == "":
			fmt.Fprintf(&text, "; the page has %s", cut(strings.Join(page.Near, ", "), 120))
		default:
			fmt.Fprintf(&text, "; did you mean %q?", near)
		}
	}
	fmt.Fprintf(&text, "\npage %s", redact(page.URL))
	if s := p.watch.requests.status(); s > 0 {
		fmt.Fprintf(&text, " answered %d,", s)
	}
	if page.Title != "" {
		fmt.Fprintf(&text, " titled %q,", cut(p.mask(page.Title), 80))
	}
	if page.State != "complete" {
		text.WriteString(" still loading,")
	}
	fmt.Fprintf(&text, " says %q", cut(p.mask(page.Says), 160))
	return text.String()
}

// loadFailure says whose fault a net error of the browser is.
func (p *Page) loadFailure(ctx context.Context, text string) (results.Status, results.Cause) {
	if text == "net::ERR_NAME_NOT_RESOLVED" {
		return p.unresolved(ctx)
	}
	return netError(text)
}

// unresolved asks the resolver itself, since the browser has one word for a name
// that does not exist and for a resolver that is silent.
func (p *Page) unresolved(ctx context.Context) (results.Status, results.Cause) {
	u, err := url.Parse(p.watch.document())
	if err != nil {
		return results.Critical, results.CauseNXDomain
	}
	ctx, cancel := context.WithTimeout(ctx, evidenceLimit)
	defer cancel()
	var dns *net.DNSError
	if err := p.lookup(ctx, u.Hostname()); errors.As(err, &dns) && dns.IsNotFound {
		return results.Critical, results.CauseNXDomain
	}
	return results.Unknown, results.CauseResolver
}

// netError maps Chromium's net/base/net_error_list.h; what it does not name is an
// answer that the browser could not show.
func netError(text string) (results.Status, results.Cause) {
	name := strings.TrimPrefix(text, "net::ERR_")
	switch name {
	case "CONNECTION_REFUSED":
		return results.Critical, results.CauseRefused
	case "CONNECTION_TIMED_OUT", "TIMED_OUT":
		return results.Critical, results.CauseTimeout
	case "CONNECTION_RESET", "CONNECTION_CLOSED", "CONNECTION_ABORTED", "EMPTY_RESPONSE", "SOCKET_NOT_CONNECTED",
		"CONTENT_LENGTH_MISMATCH", "INCOMPLETE_CHUNKED_ENCODING":
		return results.Critical, results.CauseReset
	case "ADDRESS_UNREACHABLE", "CONNECTION_FAILED":
		return results.Critical, results.CauseUnreachable
	case "NAME_RESOLUTION_FAILED":
		return results.Unknown, results.CauseResolver
	case "INTERNET_DISCONNECTED", "NETWORK_CHANGED", "NETWORK_IO_SUSPENDED",
		"PROXY_CONNECTION_FAILED", "TUNNEL_CONNECTION_FAILED":
		return results.Unknown, results.CauseNetwork
	case "INSUFFICIENT_RESOURCES", "OUT_OF_MEMORY", "NO_BUFFER_SPACE", "FILE_NO_SPACE":
		return results.Unknown, results.CauseResources
	case "NETWORK_ACCESS_DENIED", "UNSAFE_PORT", "BLOCKED_BY_ADMINISTRATOR", "BLOCKED_BY_CLIENT":
		return results.Unknown, results.CausePermission
	}
	switch {
	case strings.HasPrefix(name, "CERT_"), strings.HasPrefix(name, "SSL_"), name == "BAD_SSL_CLIENT_AUTH_CERT":
		return results.Critical, results.CauseTLS
	case strings.HasPrefix(name, "DNS_"):
		return results.Unknown, results.CauseResolver
	}
	return results.Critical, results.CauseAnswer
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
