package journeys

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHAR(t *testing.T) {
	p := warm(t)
	t.Parallel()
	r := failing(t, p, EvidenceOnFailure)
	data := artifact(t, r, "pay", "network.har").Data
	wantHAR(t, data)
	var h har
	if err := json.Unmarshal(data, &h); err != nil {
		t.Fatal(err)
	}
	find := func(part string) harEntry {
		for _, e := range h.Log.Entries {
			if strings.Contains(e.Request.URL, part) {
				return e
			}
		}
		t.Fatalf("no request for %s:\n%s", part, data)
		return harEntry{}
	}
	doc := find("/evidence.html?token=***")
	if doc.Response.Status != 200 || doc.Response.Content.MimeType != "text/html" || doc.Type != "document" || doc.ServerIP != "127.0.0.1" {
		t.Errorf("got %+v of the page", doc)
	}
	if !slices.Contains(doc.Request.Headers, harPair{"Cookie", "consent=***"}) {
		t.Errorf("got headers %v, want the cookie that was sent", doc.Request.Headers)
	}
	cart := find("/api/cart?token=***&page=2")
	if cart.Response.Status != 500 || cart.Request.Method != "GET" {
		t.Errorf("got %+v of the basket", cart)
	}
	if !slices.Contains(cart.Response.Headers, harPair{"Set-Cookie", "sid=***"}) {
		t.Errorf("got headers %v, want the cookie that was set", cart.Response.Headers)
	}
	for _, want := range []harPair{{"token", "***"}, {"page", "2"}} {
		if !slices.Contains(cart.Request.QueryString, want) {
			t.Errorf("got query %v, want %v", cart.Request.QueryString, want)
		}
	}
	if len(h.Log.Pages) != 1 || h.Log.Pages[0].Timings.OnLoad <= 0 || h.Log.Pages[0].Timings.OnContentLoad <= 0 {
		t.Errorf("got pages %+v, want one that has loaded", h.Log.Pages)
	}
}

func TestHARRedirectAndFailure(t *testing.T) {
	p := warm(t)
	t.Parallel()
	r := walk(t, p, one(t, serve(t), "/to-dead", `click: "#dead"`), 20*time.Second)
	data := artifact(t, r, "only", "network.har").Data
	wantHAR(t, data)
	if !strings.Contains(string(data), "net::ERR_CONNECTION_REFUSED") {
		t.Errorf("want why the last request failed:\n%s", data)
	}
}

// wantHAR holds data against what HAR 1.2 demands of every file.
func wantHAR(t *testing.T, data []byte) {
	t.Helper()
	var doc struct{ Log map[string]any }
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%v:\n%s", err, data)
	}
	log := doc.Log
	if log["version"] != "1.2" {
		t.Errorf("got version %v, want 1.2", log["version"])
	}
	has(t, "creator", log["creator"], "name", "version")
	pages := map[any]bool{}
	for _, p := range log["pages"].([]any) {
		has(t, "page", p, "startedDateTime", "id", "title", "pageTimings")
		m := p.(map[string]any)
		wantTime(t, m["startedDateTime"])
		if pages[m["id"]] {
			t.Errorf("page %v comes twice", m["id"])
		}
		pages[m["id"]] = true
	}
	before := ""
	for _, e := range log["entries"].([]any) {
		has(t, "entry", e, "startedDateTime", "time", "request", "response", "cache", "timings")
		m := e.(map[string]any)
		wantTime(t, m["startedDateTime"])
		if ref, ok := m["pageref"]; ok && !pages[ref] {
			t.Errorf("pageref %v is no page", ref)
		}
		if at := m["startedDateTime"].(string); at[:19] < before {
			t.Errorf("entries are not in order: %s after %s", at, before)
		} else {
			before = at[:19]
		}
		has(t, "request", m["request"], "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize")
		has(t, "response", m["response"], "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize")
		has(t, "content", m["response"].(map[string]any)["content"], "size", "mimeType")
		for _, side := range []string{"request", "response"} {
			for _, h := range m[side].(map[string]any)["headers"].([]any) {
				has(t, "header", h, "name", "value")
			}
		}
		wantTimings(t, m)
	}
}

// wantTimings: send, wait and receive are there and not negative, the rest is -1 or
// more, and time is the sum of all but ssl, which is part of connect.
func wantTimings(t *testing.T, entry map[string]any) {
	t.Helper()
	timings := entry["timings"].(map[string]any)
	has(t, "timings", timings, "send", "wait", "receive")
	sum := 0.0
	for name, v := range timings {
		ms := v.(float64)
		if ms < 0 && (ms != -1 || slices.Contains([]string{"send", "wait", "receive"}, name)) {
			t.Errorf("got %s %v", name, ms)
		}
		if name != "ssl" && ms > 0 {
			sum += ms
		}
	}
	if got := entry["time"].(float64); math.Abs(got-sum) > 0.01 || got < 0 {
		t.Errorf("got time %v, want the sum %v of %v", got, sum, timings)
	}
}

func has(t *testing.T, what string, v any, keys ...string) {
	t.Helper()
	m, ok := v.(map[string]any)
	for _, k := range keys {
		if _, there := m[k]; !ok || !there {
			t.Errorf("%s has no %s: %v", what, k, v)
		}
	}
}

func wantTime(t *testing.T, v any) {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, v.(string))
	if err != nil || time.Since(at) > time.Hour || time.Since(at) < 0 {
		t.Errorf("got time %v, want one of this test", v)
	}
}
