package journeys

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// requestsKept is how many requests of a run are remembered: the newest.
const requestsKept = 1000

// An exchange is one request and what came of it. A redirect ends one and begins another.
type exchange struct {
	id       network.RequestID
	page     string // id of the page in the HAR; empty before the first
	kind     network.ResourceType
	at       float64 // monotonic seconds, as all times of the browser
	wall     time.Time
	method   string
	url      string
	body     int64 // bytes of it; -1 is not known
	headers  network.Headers
	response *network.Response
	wired    bool    // its headers on the wire are told, or may be
	ended    float64 // 0 while it is under way
	bytes    float64
	failure  string // such as net::ERR_CONNECTION_REFUSED
	canceled bool
}

// A visit is one page of the run.
type visit struct {
	id              string
	request         network.RequestID
	at              float64
	wall            time.Time
	url             string
	content, loaded float64 // when; 0 is not yet
}

// An exchangeLog remembers what a page asked for, from the browser's events, without bodies.
type exchangeLog struct {
	mu      sync.Mutex
	frame   cdp.FrameID
	list    []*exchange
	visits  []*visit
	dropped int
	wires   map[network.RequestID]*wire
}

// A wire has the headers as they were sent and received, of each redirect in turn. They
// are told by another process than the rest, sooner or later than that.
type wire struct{ sent, received []network.Headers }

func newExchangeLog() *exchangeLog { return &exchangeLog{wires: map[network.RequestID]*wire{}} }

func (l *exchangeLog) wire(id network.RequestID) *wire {
	w := l.wires[id]
	if w == nil {
		w = &wire{}
		if len(l.wires) < 2*requestsKept { // of what is never told of otherwise
			l.wires[id] = w
		}
	}
	return w
}

func (l *exchangeLog) event(ev any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		l.begin(ev)
	case *network.EventRequestWillBeSentExtraInfo:
		w := l.wire(ev.RequestID)
		w.sent = append(w.sent, ev.Headers)
	case *network.EventResponseReceived:
		if e := l.find(ev.RequestID); e != nil {
			e.response, e.kind, e.wired = ev.Response, ev.Type, ev.HasExtraInfo
		}
	case *network.EventResponseReceivedExtraInfo:
		w := l.wire(ev.RequestID)
		w.received = append(w.received, ev.Headers)
	case *network.EventLoadingFinished:
		if e := l.find(ev.RequestID); e != nil {
			e.ended, e.bytes = ev.Timestamp.Float64(), ev.EncodedDataLength
		}
	case *network.EventLoadingFailed:
		if e := l.find(ev.RequestID); e != nil {
			e.ended, e.failure, e.canceled = ev.Timestamp.Float64(), ev.ErrorText, ev.Canceled
		}
	case *page.EventDomContentEventFired:
		if n := len(l.visits); n > 0 {
			l.visits[n-1].content = ev.Timestamp.Float64()
		}
	case *page.EventLoadEventFired:
		if n := len(l.visits); n > 0 {
			l.visits[n-1].loaded = ev.Timestamp.Float64()
		}
	}
}

func (l *exchangeLog) begin(ev *network.EventRequestWillBeSent) {
	if !strings.HasPrefix(ev.Request.URL, "http") { // data: and blob: do not travel
		return
	}
	e := &exchange{
		id: ev.RequestID, kind: ev.Type, at: ev.Timestamp.Float64(), wall: wallTime(ev.WallTime),
		method: ev.Request.Method, url: ev.Request.URL, headers: ev.Request.Headers, wired: true,
	}
	if ev.Request.HasPostData {
		e.body = -1
	}
	if before := l.find(ev.RequestID); before != nil && ev.RedirectResponse != nil {
		before.response, before.ended, before.wired = ev.RedirectResponse, e.at, ev.RedirectHasExtraInfo
		before.bytes = ev.RedirectResponse.EncodedDataLength
	}
	if l.frame == "" {
		l.frame = ev.FrameID
	}
	if ev.Type == network.ResourceTypeDocument && ev.FrameID == l.frame {
		l.visit(e)
	}
	if n := len(l.visits); n > 0 {
		e.page = l.visits[n-1].id
	}
	if len(l.list) == requestsKept {
		delete(l.wires, l.list[0].id)
		l.list = slices.Delete(l.list, 0, 1)
		l.dropped++
	}
	l.list = append(l.list, e)
}

// visit begins another page, unless e is where the last one was redirected to.
func (l *exchangeLog) visit(e *exchange) {
	n := len(l.visits)
	if n > 0 && l.visits[n-1].request == e.id {
		l.visits[n-1].url = e.url
		return
	}
	l.visits = append(l.visits, &visit{id: fmt.Sprintf("page_%d", n+1), request: e.id, at: e.at, wall: e.wall, url: e.url})
}

// status is how the last page was answered; 0 is not yet.
func (l *exchangeLog) status() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.visits); n > 0 {
		if e := l.find(l.visits[n-1].request); e != nil && e.response != nil {
			return e.response.Status
		}
	}
	return 0
}

// find returns the newest exchange of an id, or nil.
func (l *exchangeLog) find(id network.RequestID) *exchange {
	for _, e := range slices.Backward(l.list) {
		if e.id == id {
			return e
		}
	}
	return nil
}

// failed describes the requests that came to nothing: how many, and the first. What
// the page itself gave up does not count, nor does the icon that browsers ask for.
func (l *exchangeLog) failed() (n int, first string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.list {
		why := e.wrong()
		if why == "" {
			continue
		}
		if n++; n == 1 {
			first = fmt.Sprintf("%s %s %s", e.method, e.path(), why)
		}
	}
	return n, first
}

// wrong says why an exchange came to nothing; empty is that it did not.
func (e *exchange) wrong() string {
	switch {
	case e.path() == "/favicon.ico":
		return ""
	case e.failure != "" && !e.canceled && e.failure != "net::ERR_ABORTED":
		return e.failure
	case e.response != nil && e.response.Status >= http.StatusBadRequest:
		return fmt.Sprint(e.response.Status)
	}
	return ""
}

func (e *exchange) path() string {
	u, err := url.Parse(e.url)
	if err != nil {
		return "an unreadable address"
	}
	return u.EscapedPath()
}

func wallTime(t cdp.TimeSinceEpoch) time.Time {
	return time.UnixMicro(int64(float64(t) * 1e6)).UTC()
}
