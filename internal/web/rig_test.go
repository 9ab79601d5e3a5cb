package web_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/web"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the dashboard over a real store and real HTTP.
type rig struct {
	store *sqlite.Store
	hub   *results.Hub
	srv   *httptest.Server
}

func newRig(t *testing.T, change func(*web.Options)) rig {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "foreshock.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	h := results.NewHub(store, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = h.Close(context.Background()) })
	o := web.Options{Store: store, Live: h, Checks: demoChecks(), Version: "0.1.0", Location: "staging"}
	if change != nil {
		change(&o)
	}
	srv := httptest.NewServer(web.New(o))
	t.Cleanup(srv.Close)
	return rig{store, h, srv}
}

func (r rig) publish(t *testing.T, recs ...results.Record) {
	t.Helper()
	if err := r.hub.Publish(t.Context(), recs...); err != nil {
		t.Fatal(err)
	}
}

// answer is what came back for one request.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (r rig) get(t *testing.T, path string) answer {
	t.Helper()
	return r.ask(t, http.MethodGet, path, nil)
}

func (r rig) ask(t *testing.T, method, path string, header http.Header) answer {
	t.Helper()
	res := r.send(t, method, path, header)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// follow opens the live stream, and reads its first words: then it listens.
func (r rig) follow(t *testing.T) *bufio.Scanner {
	t.Helper()
	res := r.send(t, http.MethodGet, "/api/v1/live", nil)
	t.Cleanup(func() { _ = res.Body.Close() })
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Fatalf("got %s %s, want an event stream", res.Status, ct)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Scan()
	return lines
}

func (r rig) send(t *testing.T, method, path string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	res, err := r.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}
