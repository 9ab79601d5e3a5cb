package export_test

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/export"
)

func nan() float64 { return math.NaN() }

func serve(t *testing.T, prom *export.Prometheus) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(prom.Handler())
	t.Cleanup(srv.Close)
	return srv
}

func send(t *testing.T, sink results.Sink, batch []results.Record) {
	t.Helper()
	if err := sink.Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

// foreshockLines scrapes url and leaves out what the Go collectors say.
func foreshockLines(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("scrape: got %s %v, want 200\n%s", res.Status, err, body)
	}
	var b strings.Builder
	for l := range strings.Lines(string(body)) {
		if strings.Contains(l, "foreshock_") {
			b.WriteString(l)
		}
	}
	return b.String()
}

func line(text, prefix string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

func without(text, word string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		if !strings.Contains(l, word) {
			b.WriteString(l)
		}
	}
	return b.String()
}
