package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker"
)

func TestBuyAMug(t *testing.T) {
	t.Parallel()
	catalog, payments := start(t, "catalog", "--listen", "127.0.0.1:0"), start(t, "payments", "--listen", "127.0.0.1:0")
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--catalog", catalog.url, "--payments", payments.url)
	c := visitor(t)

	get(t, c, shop.url+"/healthz", 200, "ok")
	get(t, c, shop.url+"/", 200, "<title>Foreshock Mugs &amp; More</title>", `id="product-mug-blue"`, `href="/product/mug-blue"`, "€12.90")
	get(t, c, shop.url+"/product/mug-blue", 200, `<h1 id="product-name">Blue mug</h1>`,
		`<label for="quantity">`, `<select id="quantity" name="quantity"`, `<button id="add-to-basket"`)
	get(t, c, shop.url+"/product/mug-gold", 200, "Sold out", `type="submit" disabled>Add to basket`)
	for range breaker.DefaultFailures { // that there is no such product is no failure of the catalog
		get(t, c, shop.url+"/product/nope", 404, "Not found")
	}
	if b := breakerOf(t, c, shop.url, "catalog"); b.Failures != 0 || b.State != breaker.Closed {
		t.Errorf("products that do not exist: got %d failures and %v, want 0 and closed", b.Failures, b.State)
	}
	get(t, c, shop.url+"/nowhere", 404, "Not found")
	get(t, c, shop.url+"/checkout", 200, `id="basket-empty"`) // sent on to the basket

	post(t, c, shop.url+"/basket", url.Values{"id": {"teapot-slate"}, "quantity": {"1"}}, 200, "€34.90")
	post(t, c, shop.url+"/basket", url.Values{"id": {"mug-blue"}, "quantity": {"2"}}, 200,
		`id="basket-count" data-testid="basket-count">3<`, "€25.80", `>€60.70<`, `id="go-to-checkout"`)
	body := post(t, c, shop.url+"/basket/remove", url.Values{"id": {"teapot-slate"}}, 200, `data-testid="basket-total">€25.80<`)
	if strings.Contains(body, "teapot") {
		t.Error("the teapot is still in the basket")
	}
	get(t, c, shop.url+"/checkout", 200, `<label for="name">`, `<input id="name"`, `<label for="email">`, `<input id="email"`, `<button id="place-order"`)

	post(t, c, shop.url+"/checkout", url.Values{"name": {" "}, "email": {"ada"}}, 422, `id="name-error"`, `id="email-error"`, `value="ada"`)
	post(t, c, shop.url+"/checkout", url.Values{"name": {"<Ada>"}, "email": {"ada@example.org"}}, 200,
		"<h1>Order placed</h1>", `data-testid="order-status">Order placed and paid<`, "Thank you, &lt;Ada&gt;.", ">0</span>")
	get(t, c, payments.url+"/charges/count", 200, `{"count":1}`)
	get(t, c, shop.url+"/basket", 200, `id="basket-empty"`)
}

func TestCatalogRests(t *testing.T) {
	t.Parallel()
	catalog, payments := start(t, "catalog", "--listen", "127.0.0.1:0"), start(t, "payments", "--listen", "127.0.0.1:0")
	flags := []string{"storefront", "--listen", "127.0.0.1:0", "--catalog", catalog.url, "--payments", payments.url}
	shop, fresh := start(t, flags...), start(t, flags...) // fresh has seen nothing yet
	c, other := visitor(t), visitor(t)
	seen := get(t, c, shop.url+"/api/products", 200, `"id":"mug-blue"`)
	post(t, c, shop.url+"/basket", url.Values{"id": {"mug-blue"}, "quantity": {"1"}}, 200)
	post(t, other, fresh.url+"/basket", url.Values{"id": {"mug-blue"}, "quantity": {"1"}}, 200)
	// The basket page of fresh has looked; a third storefront has not.
	blank := start(t, flags...)
	catalog.stop()

	get(t, c, shop.url+"/", 200, `id="catalog-resting"`, `id="product-mug-blue"`)
	get(t, c, shop.url+"/product/mug-blue", 200, `id="catalog-resting"`, `id="add-to-basket"`)
	if rested := get(t, c, shop.url+"/api/products", 200); rested != seen {
		t.Errorf("the list while the catalog rests: got %s, want the last one seen: %s", rested, seen)
	}
	post(t, c, shop.url+"/checkout", url.Values{"name": {"Ada"}, "email": {"ada@example.org"}}, 200, ">Order placed and paid<")

	get(t, other, blank.url+"/", 200, "Mugs", `id="catalog-resting"`, `id="no-products"`)
	get(t, other, blank.url+"/product/mug-blue", 503, "The catalog is resting")
	if list := get(t, other, blank.url+"/api/products", 200); list != "[]\n" {
		t.Errorf("the list of a storefront that has seen none: got %q, want an empty one", list)
	}
	// Nobody knows the price, so nothing is charged, and the order stands.
	get(t, other, blank.url+"/basket", 200, `id="unpriced"`)
	post(t, other, blank.url+"/checkout", url.Values{"name": {"Ada"}, "email": {"ada@example.org"}}, 200,
		`id="order-status" data-testid="order-status">Order placed, we will charge you later<`)
	get(t, c, payments.url+"/charges/count", 200, `{"count":1}`)
}

func TestABasketThatMakesNoSense(t *testing.T) {
	t.Parallel()
	catalog := start(t, "catalog", "--listen", "127.0.0.1:0")
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--catalog", catalog.url)
	c := visitor(t)
	for _, form := range []url.Values{{}, {"id": {"mug-blue"}}, {"id": {"mug-blue"}, "quantity": {"11"}}, {"id": {"mug-blue"}, "quantity": {"-1"}}} {
		post(t, c, shop.url+"/basket", form, 400, "That did not work")
	}
	post(t, c, shop.url+"/checkout", url.Values{"name": {"Ada"}, "email": {"ada@example.org"}}, 400, "want a product")
	post(t, c, shop.url+"/basket", url.Values{"id": {"nope"}, "quantity": {"1"}}, 200, `id="basket-empty"`)
	for range 3 {
		post(t, c, shop.url+"/basket", url.Values{"id": {"mug-blue"}, "quantity": {"5"}}, 200)
	}
	get(t, c, shop.url+"/basket", 200, `data-testid="basket-count">10<`) // no more than 10 of one
}
