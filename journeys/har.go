package journeys

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"
)

// These types are HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). Numbers
// that are not known are -1, as it says.
type (
	har struct {
		Log harLog `json:"log"`
	}
	harLog struct {
		Version string     `json:"version"`
		Creator harCreator `json:"creator"`
		Pages   []harPage  `json:"pages"`
		Entries []harEntry `json:"entries"`
		Comment string     `json:"comment,omitempty"`
	}
	harCreator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harPage struct {
		Started time.Time      `json:"startedDateTime"`
		ID      string         `json:"id"`
		Title   string         `json:"title"`
		Timings harPageTimings `json:"pageTimings"`
	}
	harPageTimings struct {
		OnContentLoad float64 `json:"onContentLoad"`
		OnLoad        float64 `json:"onLoad"`
	}
	harEntry struct {
		Page       string      `json:"pageref,omitempty"`
		Started    time.Time   `json:"startedDateTime"`
		Time       float64     `json:"time"`
		Request    harRequest  `json:"request"`
		Response   harResponse `json:"response"`
		Cache      struct{}    `json:"cache"`
		Timings    harTimings  `json:"timings"`
		ServerIP   string      `json:"serverIPAddress,omitempty"`
		Type       string      `json:"_resourceType"`
		Unfinished bool        `json:"_unfinished,omitempty"` // it was under way when the run ended
	}
	harRequest struct {
		Method      string    `json:"method"`
		URL         string    `json:"url"`
		HTTPVersion string    `json:"httpVersion"`
		Cookies     []harPair `json:"cookies"`
		Headers     []harPair `json:"headers"`
		QueryString []harPair `json:"queryString"`
		HeadersSize int       `json:"headersSize"`
		BodySize    int64     `json:"bodySize"`
	}
	harResponse struct {
		Status      int64      `json:"status"` // 0 is no answer
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []harPair  `json:"cookies"`
		Headers     []harPair  `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int        `json:"headersSize"`
		BodySize    float64    `json:"bodySize"`
		Error       string     `json:"_error,omitempty"`
	}
	harContent struct {
		Size     float64 `json:"size"`
		MimeType string  `json:"mimeType"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harTimings struct {
		Blocked float64 `json:"blocked"`
		DNS     float64 `json:"dns"`
		Connect float64 `json:"connect"`
		SSL     float64 `json:"ssl"` // also part of Connect
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
)

// har writes down the exchanges, masked and without bodies.
func (l *exchangeLog) har(r redactor) har {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := harLog{
		Version: "1.2", Creator: harCreator{"Foreshock", "1"},
		Pages: make([]harPage, 0, len(l.visits)), Entries: make([]harEntry, 0, len(l.list)),
	}
	for _, v := range l.visits {
		out.Pages = append(out.Pages, harPage{
			Started: v.wall, ID: v.id, Title: r.url(v.url),
			Timings: harPageTimings{OnContentLoad: since(v.at, v.content), OnLoad: since(v.at, v.loaded)},
		})
	}
	hops := map[network.RequestID]int{}
	for _, e := range l.list {
		entry := e.har(r)
		if w := l.wires[e.id]; w != nil && e.wired {
			hop := hops[e.id]
			hops[e.id]++
			if hop < len(w.sent) {
				entry.Request.Headers = r.headers(w.sent[hop])
			}
			if hop < len(w.received) {
				entry.Response.Headers = r.headers(w.received[hop])
			}
		}
		out.Entries = append(out.Entries, entry)
	}
	slices.SortStableFunc(out.Entries, func(a, b harEntry) int { return a.Started.Compare(b.Started) })
	return har{out}
}

func (e *exchange) har(r redactor) harEntry {
	t := e.timings()
	out := harEntry{
		Page: e.page, Started: e.wall, Type: strings.ToLower(string(e.kind)), Unfinished: e.ended == 0, Timings: t,
		Time: max(t.Blocked, 0) + max(t.DNS, 0) + max(t.Connect, 0) + t.Send + t.Wait + t.Receive,
		Request: harRequest{
			Method: e.method, URL: r.url(e.url), HTTPVersion: "unknown", Cookies: []harPair{},
			Headers: r.headers(e.headers), QueryString: r.query(e.url),
			HeadersSize: -1, BodySize: e.body,
		},
		Response: harResponse{
			HTTPVersion: "unknown", Cookies: []harPair{}, Headers: []harPair{},
			Content: harContent{MimeType: "x-unknown"}, HeadersSize: -1, BodySize: -1, Error: e.failure,
		},
	}
	if e.response == nil {
		return out
	}
	version := cmp.Or(e.response.Protocol, "unknown")
	out.Request.HTTPVersion, out.Response.HTTPVersion = version, version
	out.ServerIP = strings.Trim(e.response.RemoteIPAddress, "[]")
	out.Response.Status, out.Response.StatusText = e.response.Status, r.text(e.response.StatusText)
	if out.Response.StatusText == "" {
		out.Response.StatusText = http.StatusText(int(e.response.Status))
	}
	out.Response.Headers = r.headers(e.response.Headers)
	out.Response.Content = harContent{Size: e.bytes, MimeType: cmp.Or(e.response.MimeType, "x-unknown")}
	if to := redirectedTo(e.response.Headers); to != "" && e.response.Status/100 == 3 {
		out.Response.RedirectURL = r.url(to)
	}
	return out
}

// timings cuts an exchange up as the network panel of the browser does.
func (e *exchange) timings() harTimings {
	out := harTimings{Blocked: -1, DNS: -1, Connect: -1, SSL: -1}
	if e.response == nil || e.response.Timing == nil {
		out.Blocked = max(since(e.at, e.ended), 0)
		return out
	}
	t := e.response.Timing
	span := func(from, to float64) float64 {
		if from < 0 || to < from {
			return -1
		}
		return to - from
	}
	out.DNS, out.Connect, out.SSL = span(t.DNSStart, t.DNSEnd), span(t.ConnectStart, t.ConnectEnd), span(t.SslStart, t.SslEnd)
	out.Send = max(span(t.SendStart, t.SendEnd), 0)
	out.Wait = max(span(t.SendEnd, t.ReceiveHeadersEnd), 0)
	out.Receive = max(since(t.RequestTime+t.ReceiveHeadersEnd/1000, e.ended), 0)
	first := t.SendStart
	for _, at := range []float64{t.DNSStart, t.ConnectStart} {
		if at >= 0 {
			first = min(first, at)
		}
	}
	out.Blocked = max((t.RequestTime-e.at)*1000+max(first, 0), 0)
	return out
}

// since gives the milliseconds between two moments in seconds, or -1 if the second has not come.
func since(from, to float64) float64 {
	if to == 0 || to < from {
		return -1
	}
	return (to - from) * 1000
}

func redirectedTo(h network.Headers) string {
	for name, v := range h {
		if text, ok := v.(string); ok && strings.EqualFold(name, "location") {
			return text
		}
	}
	return ""
}

func (r redactor) headers(h network.Headers) []harPair {
	out := []harPair{}
	for name, v := range h {
		text, ok := v.(string)
		if !ok {
			continue
		}
		for line := range strings.SplitSeq(text, "\n") { // of a header that came several times
			out = append(out, harPair{name, r.header(name, line)})
		}
	}
	slices.SortFunc(out, func(a, b harPair) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Value, b.Value))
	})
	return out
}

func (r redactor) query(address string) []harPair {
	out := []harPair{}
	_, query, _ := strings.Cut(r.url(address), "?")
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		out = append(out, harPair{unescaped(name), unescaped(value)})
	}
	return out
}

func unescaped(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}
