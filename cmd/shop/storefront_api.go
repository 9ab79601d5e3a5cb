package main

import (
	"fmt"
	"net/http"
)

// What a customer is told of an order.
const (
	wordPaid  = "order placed"
	wordLater = "order placed, we will charge you later"
)

// An orderAnswer is what a machine is told of its order.
type orderAnswer struct {
	Order   string `json:"order"`
	Paid    bool   `json:"paid"`
	Message string `json:"message"`
}

// apiProducts answers in the catalog's own shape, also when the catalog rests: the
// header X-Catalog tells the two apart.
func (f *storefront) apiProducts(w http.ResponseWriter, r *http.Request) {
	products, resting := f.shelf.list(r.Context())
	if products == nil {
		products = []product{}
	}
	if resting {
		w.Header().Set("X-Catalog", "resting")
	}
	writeJSON(w, http.StatusOK, products)
}

// apiCheckout orders one blue mug, or what else costs amount_cents.
func (f *storefront) apiCheckout(w http.ResponseWriter, r *http.Request) {
	ask := struct {
		ID          string `json:"id"`
		AmountCents int    `json:"amount_cents"`
	}{AmountCents: 1290}
	switch {
	case !readJSON(w, r, &ask):
		return
	case ask.ID == "" || len(ask.ID) > 100:
		writeError(w, http.StatusBadRequest, fmt.Sprintf("id: got %d bytes, want 1 to 100", len(ask.ID)))
		return
	case ask.AmountCents < 0:
		writeError(w, http.StatusBadRequest, fmt.Sprintf("amount_cents: got %d, want 0 or more", ask.AmountCents))
		return
	}
	answer := orderAnswer{Order: "order-" + ask.ID, Message: wordLater}
	if f.till.charge(r.Context(), charge{answer.Order, ask.AmountCents}) {
		answer.Paid, answer.Message = true, wordPaid
	}
	writeJSON(w, http.StatusOK, answer)
}
