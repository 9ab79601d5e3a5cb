package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
)

// A charge asks payments for money.
type charge struct {
	Order       string `json:"order"`
	AmountCents int    `json:"amount_cents"`
}

// captured is the status of a charge whose money is here.
const captured = "captured"

// A receipt is the answer to a charge.
type receipt struct {
	Charge string `json:"charge"`
	Status string `json:"status"`
}

func paymentsFlags(*flag.FlagSet) func(*slog.Logger) (http.Handler, error) {
	return func(*slog.Logger) (http.Handler, error) { return newPayments(), nil }
}

// newPayments serves a till that takes every charge and remembers only how many.
func newPayments() http.Handler {
	var taken atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /charges/count", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]int64{"count": taken.Load()})
	})
	mux.HandleFunc("POST /charges", func(w http.ResponseWriter, r *http.Request) {
		var c charge
		switch {
		case !readJSON(w, r, &c):
		case c.Order == "":
			writeError(w, http.StatusBadRequest, "order: got none, want the order's id")
		case c.AmountCents < 0:
			writeError(w, http.StatusBadRequest, fmt.Sprintf("amount_cents: got %d, want 0 or more", c.AmountCents))
		default:
			writeJSON(w, http.StatusCreated, receipt{fmt.Sprintf("charge-%d", taken.Add(1)), captured})
		}
	})
	return mux
}
