package main

import (
	"flag"
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// stock is what there is to sell.
func stock() []product {
	return []product{
		{"mug-blue", "Blue mug", 1290, 7},
		{"mug-amber", "Amber mug", 1490, 12},
		{"mug-red", "Red alert mug", 1590, 3},
		{"teapot-slate", "Slate teapot", 3490, 4},
		{"coasters-green", "Quake coasters", 990, 25},
		{"mug-gold", "Golden mug", 4900, 0},
	}
}

func catalogFlags(fs *flag.FlagSet) func(*slog.Logger) (http.Handler, error) {
	states := fs.Bool("pact-states", false, "serve POST /_pact/state, where a contract verifier sets provider states")
	return func(*slog.Logger) (http.Handler, error) { return newCatalog(stock(), *states), nil }
}

// newCatalog serves the products; with states, also the provider states of its contracts.
func newCatalog(products []product, states bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, products)
	})
	mux.HandleFunc("GET /products/{id}", func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(products, func(p product) bool { return p.ID == r.PathValue("id") })
		if i < 0 {
			writeError(w, http.StatusNotFound, "not found")
			return
		}
		writeJSON(w, http.StatusOK, products[i])
	})
	if states {
		mux.HandleFunc("POST /_pact/state", pactState)
	}
	return mux
}

// pactState accepts the states that hold anyway, and no other.
func pactState(w http.ResponseWriter, r *http.Request) {
	known := []string{"", "products exist", "product mug-blue exists", "no product nope"}
	var ask struct {
		State string `json:"state"`
	}
	if !readJSON(w, r, &ask) {
		return
	}
	if !slices.Contains(known, ask.State) {
		writeError(w, http.StatusBadRequest, "state: got "+ask.State+", want one of: "+strings.Join(known[1:], ", "))
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{})
}
