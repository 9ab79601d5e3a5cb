package main

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
)

func (f *storefront) home(w http.ResponseWriter, r *http.Request) {
	products, resting := f.shelf.list(r.Context())
	f.pages.show(w, http.StatusOK, "home", view{Basket: basketOf(r), Resting: resting, Products: products})
}

func (f *storefront) product(w http.ResponseWriter, r *http.Request) {
	p, resting, err := f.shelf.product(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, errNotFound):
		f.pages.missing(w)
	case err != nil:
		f.pages.show(w, http.StatusServiceUnavailable, "message", view{
			Title: "The catalog is resting", Basket: basketOf(r),
			Message: "We cannot look this product up just now. Please try again in a moment.",
		})
	default:
		f.pages.show(w, http.StatusOK, "product", view{Title: p.Name, Basket: basketOf(r), Resting: resting, Product: p})
	}
}

func (f *storefront) basket(w http.ResponseWriter, r *http.Request) {
	f.pages.show(w, http.StatusOK, "basket", f.orderView(r, "Your basket"))
}

// orderView prices the basket of the request.
func (f *storefront) orderView(r *http.Request, title string) view {
	v := view{Title: title, Basket: basketOf(r)}
	if len(v.Basket) > 0 {
		products, resting := f.shelf.list(r.Context())
		if !resting {
			v.Basket.keep(products) // the catalog itself says that there is no other
		}
		v.Order, v.Resting = v.Basket.priced(products), resting
	}
	return v
}

func (f *storefront) addToBasket(w http.ResponseWriter, r *http.Request) {
	id, n, ok := f.basketForm(w, r)
	if !ok {
		return
	}
	if n < 1 || n > mostOfOne {
		f.pages.wrong(w, "quantity: got "+strconv.Quote(r.PostFormValue("quantity"))+", want 1 to "+strconv.Itoa(mostOfOne))
		return
	}
	b := basketOf(r)
	b.add(id, n)
	b.save(w)
	http.Redirect(w, r, "/basket", http.StatusSeeOther)
}

func (f *storefront) removeFromBasket(w http.ResponseWriter, r *http.Request) {
	id, _, ok := f.basketForm(w, r)
	if !ok {
		return
	}
	b := basketOf(r)
	delete(b, id)
	b.save(w)
	http.Redirect(w, r, "/basket", http.StatusSeeOther)
}

// basketForm reads id and quantity; a quantity that is no number is 0.
func (f *storefront) basketForm(w http.ResponseWriter, r *http.Request) (id string, quantity int, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswer)
	if id = r.PostFormValue("id"); id == "" || len(id) > 100 {
		f.pages.wrong(w, "id: got "+strconv.Itoa(len(id))+" bytes, want the id of a product")
		return "", 0, false
	}
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	if err != nil {
		quantity = 0
	}
	return id, quantity, true
}

func (f *storefront) checkout(w http.ResponseWriter, r *http.Request) {
	v := f.orderView(r, "Checkout")
	if len(v.Basket) == 0 {
		http.Redirect(w, r, "/basket", http.StatusSeeOther)
		return
	}
	f.pages.show(w, http.StatusOK, "checkout", v)
}

// placeOrder takes the order in any case; only whether it is paid depends on others.
func (f *storefront) placeOrder(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswer)
	v := f.orderView(r, "Checkout")
	if len(v.Basket) == 0 {
		f.pages.wrong(w, "basket: got nothing in it, want a product")
		return
	}
	v.Name, v.Email = strings.TrimSpace(r.PostFormValue("name")), strings.TrimSpace(r.PostFormValue("email"))
	if v.Name == "" {
		v.NameError = "Please tell us your name."
	}
	if _, err := mail.ParseAddress(v.Email); err != nil {
		v.EmailError = "Please give an e-mail address such as ada@example.org."
	}
	if v.NameError != "" || v.EmailError != "" {
		f.pages.show(w, http.StatusUnprocessableEntity, "checkout", v)
		return
	}
	v.Title, v.OrderID = "Order placed", "order-"+strings.ToLower(rand.Text()[:8])
	// An amount that nobody knows cannot be charged yet.
	v.Paid = v.Order.Unpriced == 0 && f.till.charge(r.Context(), charge{v.OrderID, v.Order.TotalCents})
	v.Basket = nil
	v.Basket.save(w)
	f.pages.show(w, http.StatusOK, "order", v)
}
