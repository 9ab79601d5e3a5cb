package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

// storefrontSettings are the flags of the storefront.
type storefrontSettings struct {
	catalog, payments string
	breaker           string // on or off
	failures          int
	openFor           time.Duration
	halfOpenCalls     int
	callTimeout       time.Duration
}

func storefrontFlags(fs *flag.FlagSet) func(*slog.Logger) (http.Handler, error) {
	s := new(storefrontSettings)
	fs.StringVar(&s.catalog, "catalog", "http://127.0.0.1:8081", "`URL` of the catalog")
	fs.StringVar(&s.payments, "payments", "http://127.0.0.1:9002", "`URL` of payments")
	fs.StringVar(&s.breaker, "breaker", "on", "`on|off`: off makes every call, also to a dependency that does not answer")
	fs.IntVar(&s.failures, "failures", breaker.DefaultFailures, "`calls` in a row that fail and so open a breaker")
	fs.DurationVar(&s.openFor, "open-for", 2*time.Second, "how `long` a breaker stays open")
	fs.IntVar(&s.halfOpenCalls, "half-open-calls", breaker.DefaultHalfOpenCalls, "`calls` let through as probes after that")
	fs.DurationVar(&s.callTimeout, "call-timeout", 300*time.Millisecond, "the longest a call to a dependency may `take`")
	return func(log *slog.Logger) (http.Handler, error) { return newStorefront(*s, log) }
}

func (s storefrontSettings) validate() error {
	for name, raw := range map[string]string{"catalog": s.catalog, "payments": s.payments} {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--%s: got %q, want a URL such as http://127.0.0.1:8081", name, raw)
		}
	}
	switch {
	case s.breaker != "on" && s.breaker != "off":
		return fmt.Errorf("--breaker: got %q, want on or off", s.breaker)
	case s.callTimeout <= 0:
		return fmt.Errorf("--call-timeout: got %v, want more than 0s", s.callTimeout)
	case s.failures < 1:
		return fmt.Errorf("--failures: got %d, want 1 or more", s.failures)
	case s.halfOpenCalls < 1:
		return fmt.Errorf("--half-open-calls: got %d, want 1 or more", s.halfOpenCalls)
	case s.openFor <= 0:
		return fmt.Errorf("--open-for: got %v, want more than 0s", s.openFor)
	}
	return nil
}

// A storefront shows the shop to people, and takes orders from machines too.
type storefront struct {
	shelf *shelf
	till  *till
	pages *pages
}

func newStorefront(s storefrontSettings, log *slog.Logger) (http.Handler, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	front := &storefront{
		shelf: &shelf{client: newCatalogClient(s.catalog, s.callTimeout), guard: unguarded},
		till:  &till{client: newPaymentsClient(s.payments, s.callTimeout), guard: unguarded},
	}
	var breakers []breaker.Source
	if s.breaker == "on" {
		catalog, err := breaker.New(s.breakerOf("catalog", log))
		if err != nil {
			return nil, err
		}
		payments, err := breaker.New(s.breakerOf("payments", log))
		if err != nil {
			return nil, err
		}
		front.shelf.guard, front.till.guard = catalog.Do, payments.Do
		breakers = append(breakers, catalog, payments)
	}
	var err error
	if front.pages, err = newPages(); err != nil {
		return nil, err
	}
	return front.routes(breaker.Handler(breakers...)), nil
}

// breakerOf returns the settings of the breaker before one dependency.
func (s storefrontSettings) breakerOf(name string, log *slog.Logger) breaker.Settings {
	return breaker.Settings{
		Name: name, Failures: s.failures, OpenFor: s.openFor, HalfOpenCalls: s.halfOpenCalls,
		Classify: classify,
		OnTransition: func(t breaker.Transition) {
			log.Info("breaker changed", "breaker", name, "from", t.From.String(), "to", t.To.String())
		},
	}
}

func (f *storefront) routes(breakers http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.Handle("GET /breakers", breakers)
	mux.HandleFunc("GET /api/products", f.apiProducts)
	mux.HandleFunc("POST /api/checkout", f.apiCheckout)
	mux.HandleFunc("GET /{$}", f.home)
	mux.HandleFunc("GET /product/{id}", f.product)
	mux.HandleFunc("GET /basket", f.basket)
	mux.HandleFunc("POST /basket", f.addToBasket)
	mux.HandleFunc("POST /basket/remove", f.removeFromBasket)
	mux.HandleFunc("GET /checkout", f.checkout)
	mux.HandleFunc("POST /checkout", f.placeOrder)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { f.pages.missing(w) })
	return mux
}
