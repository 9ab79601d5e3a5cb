package journeys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"github.com/foreshock/foreshock/results"
)

const (
	quiet       = 500 * time.Millisecond // without a request: the network is idle
	consoleKept = 20                     // errors of the console
)

// A traffic follows a page's requests and the errors on its console.
type traffic struct {
	mu       sync.Mutex
	underWay map[network.RequestID]string // addresses
	since    time.Time                    // when underWay last changed
	errors   []string                     // of the console; the first ones
}

func newTraffic() *traffic {
	return &traffic{underWay: map[network.RequestID]string{}, since: time.Now()}
}

func (t *traffic) event(ev any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if ev.Type != network.ResourceTypeEventSource { // which never ends
			t.underWay[ev.RequestID], t.since = ev.Request.URL, time.Now()
		}
	case *network.EventLoadingFinished:
		t.ended(ev.RequestID)
	case *network.EventLoadingFailed:
		t.ended(ev.RequestID)
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if e := ev.ExceptionDetails.Exception; e != nil && e.Description != "" {
			text, _, _ = strings.Cut(e.Description, "\n")
		}
		t.failed(text)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			t.failed(said(ev.Args))
		}
	default:
		t.logged(ev)
	}
}

// logged takes what the browser itself writes to the console, such as a picture that
// could not be loaded.
//
//nolint:forbidigo // the rule means the standard library's log
func (t *traffic) logged(ev any) {
	e, ok := ev.(*cdplog.EventEntryAdded)
	if ok && e.Entry.Level == cdplog.EntryLevelError && !strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
		t.failed(e.Entry.Text + " " + redact(e.Entry.URL))
	}
}

func (t *traffic) ended(id network.RequestID) {
	delete(t.underWay, id)
	t.since = time.Now()
}

func (t *traffic) failed(text string) {
	if len(t.errors) < consoleKept {
		t.errors = append(t.errors, cut(text, 200))
	}
}

func said(args []*runtime.RemoteObject) string {
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = strings.Trim(string(a.Value), `"`)
		if a.Description != "" {
			texts[i], _, _ = strings.Cut(a.Description, "\n")
		}
	}
	return strings.Join(texts, " ")
}

// idle waits until no request has been under way for a while.
func (t *traffic) idle(ctx context.Context) error {
	for {
		t.mu.Lock()
		n, left, one := len(t.underWay), quiet-time.Since(t.since), ""
		for _, address := range t.underWay {
			one = address
			break
		}
		t.mu.Unlock()
		if n == 0 && left <= 0 {
			return nil
		}
		if err := sleep(ctx, max(left, 20*time.Millisecond)); err != nil {
			busy := answer{State: "busy", Detail: fmt.Sprintf("requests under way: %d", n)}
			if n > 0 {
				busy.Detail += ", such as " + redact(one)
			}
			return &notReady{query{}, busy}
		}
	}
}

// consoleClean fails at once if the page has written an error: it will not take it back.
func (p *Page) consoleClean() error {
	text := p.watch.traffic.wrong("")
	if text == "" {
		return nil
	}
	return results.Fault(results.CauseAnswer, errors.New(text))
}

// notLoaded is how the browser's own line about a request that failed begins.
const notLoaded = "Failed to load resource"

// wrong tells how many errors are on the console, and the first; empty is none. Those
// that begin with but do not count, unless it is empty.
func (t *traffic) wrong(but string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, first := 0, ""
	for _, text := range t.errors {
		if but != "" && strings.HasPrefix(text, but) {
			continue
		}
		if n++; n == 1 {
			first = text
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "the console has an error: " + first
	}
	return fmt.Sprintf("the console has %d errors, first: %s", n, first)
}

// pending tells how many requests are under way, without that of the page itself, and
// one of them.
func (t *traffic) pending(page string) (n int, one string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, address := range t.underWay {
		if address != page {
			n, one = n+1, address
		}
	}
	return n, one
}
