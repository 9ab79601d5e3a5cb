package main

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const (
	basketCookie = "basket"
	mostOfOne    = 10 // of one product
	mostLines    = 20
)

// A basket is how many of which product, by id. It lives in the visitor's cookie.
type basket map[string]int

// basketOf reads the cookie. What makes no sense there is left out: it is the
// visitor's to lose.
func basketOf(r *http.Request) basket {
	b := basket{}
	cookie, err := r.Cookie(basketCookie)
	if err != nil {
		return b
	}
	values, err := url.ParseQuery(cookie.Value)
	if err != nil {
		return b
	}
	for id, counts := range values {
		if n, err := strconv.Atoi(counts[0]); err == nil && n > 0 && n <= mostOfOne && len(b) < mostLines {
			b[id] = n
		}
	}
	return b
}

// add puts n more into the basket, up to what one order may hold.
func (b basket) add(id string, n int) {
	if _, there := b[id]; there || len(b) < mostLines {
		b[id] = min(b[id]+n, mostOfOne)
	}
}

// save writes the cookie, or takes it away if the basket is empty.
func (b basket) save(w http.ResponseWriter) {
	values := url.Values{}
	for id, n := range b {
		values.Set(id, strconv.Itoa(n))
	}
	c := &http.Cookie{ //nolint:gosec // not Secure: the shop is served over plain HTTP on loopback
		Name: basketCookie, Value: values.Encode(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if len(b) == 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// A line is one row of a basket as it is shown.
type line struct {
	Product  product
	Quantity int
}

// Cents is what the line costs.
func (l line) Cents() int { return l.Quantity * l.Product.PriceCents }

// An order is a basket with prices.
type order struct {
	Lines      []line
	TotalCents int
	Unpriced   int // products whose price nobody knows just now
}

// priced returns the basket in the order of the products.
func (b basket) priced(products []product) order {
	var o order
	for _, p := range products {
		if n := b[p.ID]; n > 0 {
			o.Lines = append(o.Lines, line{p, n})
			o.TotalCents += n * p.PriceCents
		}
	}
	o.Unpriced = len(b) - len(o.Lines)
	return o
}

// keep leaves only what is among the products.
func (b basket) keep(products []product) {
	maps.DeleteFunc(b, func(id string, _ int) bool {
		return !slices.ContainsFunc(products, func(p product) bool { return p.ID == id })
	})
}
