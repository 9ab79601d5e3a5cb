package journeys

import (
	"context"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// requestedLimit is how long a navigation that a page asked for may take to begin:
// some never do, such as one that the page itself takes back.
const requestedLimit = time.Second

// A watch follows what a tab loads, from the browser's events.
type watch struct {
	crashed   func() // called once the page's process is gone
	traffic   *traffic
	contexts  *contexts
	responses responses
	requests  *exchangeLog
	console   *console
	vitals    *vitals

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at each event that counts
	frame     cdp.FrameID   // the main frame
	requested bool          // the page asked for another one
	loading   bool          // another one is on its way
	request   network.RequestID
	address   string // of the last document that was asked for
	status    int    // of its answer; 0 is none yet
	failure   string // why it did not load, such as net::ERR_CONNECTION_REFUSED
	elsewhere bool   // another page, or another address of it, has come since stay
}

func newWatch(crashed func()) *watch {
	return &watch{
		crashed: crashed, traffic: newTraffic(), requests: newExchangeLog(), console: newConsole(), vitals: newVitals(),
		contexts: &contexts{by: map[cdp.FrameID]string{}}, changed: make(chan struct{}),
	}
}

// joins makes w, of a tab that was opened by the one of o, tell of the same run.
func (w *watch) joins(o *watch) {
	w.requests, w.console = o.requests, o.console
	w.vitals.during(o.vitals.acting())
}

// expectLoad forgets what was loaded before.
func (w *watch) expectLoad() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requested, w.loading, w.request, w.address, w.status, w.failure = false, false, "", "", 0, ""
}

// documentStatus is the HTTP status of the last document; 0 is none.
func (w *watch) documentStatus() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// document is the address of the last document that was asked for.
func (w *watch) document() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.address
}

// loaded returns when no document is on its way: the old one stays, or the new one
// has begun to arrive. It returns a [*chromedp.LoadError] if it could not.
func (w *watch) loaded(ctx context.Context) error {
	limit := time.NewTimer(requestedLimit)
	defer limit.Stop()
	for {
		w.mu.Lock()
		busy, sure, failure, changed := w.requested || w.loading, w.loading, w.failure, w.changed
		w.mu.Unlock()
		expired := limit.C
		if sure {
			expired = nil
		}
		if !busy && failure != "" {
			return &chromedp.LoadError{ErrorText: failure}
		}
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-expired:
			return nil
		case <-changed:
		}
	}
}

// moved reports whether another page, or another address of the same one, has come
// since stay; it waits for that until ctx ends.
func (w *watch) moved(ctx context.Context) bool {
	for {
		w.mu.Lock()
		moved, changed := w.elsewhere, w.changed
		w.mu.Unlock()
		if moved {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}

// stay is where moved starts from.
func (w *watch) stay() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.elsewhere = false
}

// event takes one event of the tab. chromedp calls it in order and waits for it.
func (w *watch) event(ev any) {
	if _, ok := ev.(*inspector.EventTargetCrashed); ok {
		w.crashed()
		return
	}
	w.traffic.event(ev)
	w.contexts.event(ev)
	w.responses.event(ev)
	w.requests.event(ev)
	w.console.event(ev)
	w.vitals.event(ev)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.note(ev) {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// note reports whether ev counts.
func (w *watch) note(ev any) bool {
	switch ev := ev.(type) {
	case *page.EventFrameRequestedNavigation:
		w.requested = w.requested || w.main(ev.FrameID) && ev.Disposition == page.ClientNavigationDispositionCurrentTab
	case *page.EventFrameStartedNavigating:
		w.loading = w.loading || w.main(ev.FrameID) && !sameDocument(ev.NavigationType)
	case *page.EventFrameNavigated:
		if ev.Frame.ParentID != "" {
			return false
		}
		w.frame = ev.Frame.ID
		w.arrived()
		w.elsewhere = w.elsewhere || ev.Frame.URL != "about:blank"
	case *page.EventNavigatedWithinDocument:
		w.arrivedIn(ev.FrameID)
		w.elsewhere = w.elsewhere || w.main(ev.FrameID)
	case *page.EventFrameStoppedLoading: // also of a download, which replaces no page
		w.arrivedIn(ev.FrameID)
	case *network.EventRequestWillBeSent:
		if ev.Type != network.ResourceTypeDocument || !w.main(ev.FrameID) {
			return false
		}
		w.loading, w.request, w.status, w.failure = true, ev.RequestID, 0, ""
		w.address = ev.Request.URL
	case *network.EventResponseReceived:
		if ev.RequestID == w.request {
			w.status = int(ev.Response.Status)
		}
	case *network.EventLoadingFailed:
		if ev.RequestID == w.request && !ev.Canceled && ev.ErrorText != "net::ERR_ABORTED" {
			w.failure = ev.ErrorText
		}
	default:
		return false
	}
	return true
}

func (w *watch) main(f cdp.FrameID) bool { return w.frame == "" || w.frame == f }

func (w *watch) arrivedIn(f cdp.FrameID) {
	if w.main(f) {
		w.arrived()
	}
}

func (w *watch) arrived() { w.requested, w.loading = false, false }

func sameDocument(t page.FrameStartedNavigatingNavigationType) bool {
	return t == page.FrameStartedNavigatingNavigationTypeSameDocument ||
		t == page.FrameStartedNavigatingNavigationTypeHistorySameDocument
}
