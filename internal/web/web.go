// Package web serves the dashboard, the JSON it is drawn from, and the metrics: all
// out of the one binary, for reading only. It must never change anything, wait for
// a slow reader, or put what a checked service said into a page as anything but text.
package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

// answerLimit is how long the store may take for one answer.
const answerLimit = 10 * time.Second

// Options is what the pages are made from. Store is required; what else is nil or
// empty is left out.
type Options struct {
	Store    results.Store
	Live     Subscriber   // fresh records; without it the page asks again by itself
	Checks   []CheckInfo  // what is configured, in the order of the page
	Metrics  http.Handler // served at /metrics
	Title    string       // of the page; default Foreshock
	Version  string       // of Foreshock
	Location string       // where the checks run
	Log      *slog.Logger // default discards
}

// A Subscriber gives every record that comes in from now on, until ctx is done. It
// must not wait for a slow receiver.
type Subscriber interface {
	Subscribe(ctx context.Context) <-chan results.Record
}

// A CheckInfo is one configured check.
type CheckInfo struct {
	Name   string
	Kind   string
	Every  time.Duration // 0 if it follows a cron expression or runs by hand
	Labels map[string]string
}

// server answers the requests; it holds no state but what ends its streams.
type server struct {
	Options
	assets  map[string]asset
	streams chan struct{} // a place for each live stream
	closing chan struct{} // closed when the HTTP server shuts down
	once    sync.Once
}

// New returns the handler of everything that is served over HTTP:
// / /assets/ /metrics /healthz and /api/v1/. Live streams end with their request,
// with the channel they read, and when the [http.Server] they came through shuts down.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Title == "" {
		o.Title = "Foreshock"
	}
	s := &server{Options: o, assets: loadAssets(), streams: make(chan struct{}, maxStreams), closing: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /api/v1/checks", s.checks)
	mux.HandleFunc("GET /api/v1/timeline", s.timeline)
	mux.HandleFunc("GET /api/v1/results", s.results)
	mux.HandleFunc("GET /api/v1/artifacts/{id}", s.artifact)
	mux.HandleFunc("GET /api/v1/live", s.live)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	return guard(mux)
}

// guard sets the headers that hold for every answer.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// healthz says whether this process can do its work: it asks the store.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	for _, err := range s.Store.Events(ctx, results.Query{Limit: 1}) {
		if err != nil {
			s.fail(w, r, http.StatusServiceUnavailable, "the store does not answer", err)
			return
		}
	}
	s.write(w, r, map[string]string{"status": "ok", "version": s.Version})
}

// write answers with v as JSON.
func (s *server) write(w http.ResponseWriter, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "the answer cannot be written as JSON", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(b); err != nil {
		s.Log.DebugContext(r.Context(), "reader went away", "path", r.URL.Path, "error", err)
	}
}

// fail answers with an error. err is for the log: it may name files.
func (s *server) fail(w http.ResponseWriter, r *http.Request, code int, text string, err error) {
	if err != nil && r.Context().Err() == nil {
		s.Log.WarnContext(r.Context(), "request failed", "path", r.URL.Path, "code", code, "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	b, _ := json.Marshal(map[string]string{"error": text}) //nolint:errchkjson // two strings
	_, _ = w.Write(b)
}
