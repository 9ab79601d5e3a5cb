package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	for _, tc := range []struct {
		args       string
		code       int
		out, error string
	}{
		{"", 2, "", "usage: shop ROLE"},
		{"help", 0, "shop payments ", ""},
		{"bakery", 2, "", `role: got "bakery", want storefront, catalog or payments`},
		{"storefront -h", 0, "-open-for", ""},
		{"payments --colour red", 2, "", "flag provided but not defined: -colour"},
		{"payments now", 2, "", `got "now" after the flags, want nothing`},
		{"payments --listen " + taken.Addr().String(), 1, "", "address already in use"},
		{"storefront --breaker maybe", 2, "", `--breaker: got "maybe", want on or off`},
		{"storefront --catalog 127.0.0.1:8081", 2, "", `--catalog: got "127.0.0.1:8081", want a URL such as http://127.0.0.1:8081`},
		{"storefront --failures 0", 2, "", "--failures: got 0, want 1 or more"},
		{"storefront --half-open-calls -1", 2, "", "--half-open-calls: got -1, want 1 or more"},
		{"storefront --open-for 0s", 2, "", "--open-for: got 0s, want more than 0s"},
		{"storefront --call-timeout -1s", 2, "", "--call-timeout: got -1s, want more than 0s"},
		{"storefront --failures 2000000", 2, "", "failures: got 2000000, want 1 to 1000000"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // of one that starts after all
			defer cancel()
			code := run(ctx, strings.Fields(tc.args), &out, &errs)
			if code != tc.code || !strings.Contains(out.String(), tc.out) || !strings.Contains(errs.String(), tc.error) {
				t.Errorf("got %d\nstdout: %s\nstderr: %s\nwant %d, %q, %q", code, &out, &errs, tc.code, tc.out, tc.error)
			}
		})
	}
}

func TestBadOrdersAndCharges(t *testing.T) {
	t.Parallel()
	payments := start(t, "payments", "--listen", "127.0.0.1:0")
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--payments", payments.url)
	c := visitor(t)
	for _, tc := range [][3]string{
		{shop.url + "/api/checkout", `{`, "body: got "},
		{shop.url + "/api/checkout", `{}`, "id: got 0 bytes, want 1 to 100"},
		{shop.url + "/api/checkout", `{"id":"a","amount_cents":-1}`, "amount_cents: got -1, want 0 or more"},
		{payments.url + "/charges", `[]`, "body: got "},
		{payments.url + "/charges", `{"amount_cents":1}`, "order: got none"},
		{payments.url + "/charges", `{"order":"a","amount_cents":-1}`, "amount_cents: got -1"},
	} {
		postJSON(t, c, tc[0], tc[1], 400, `{"error":"`+tc[2])
	}
	postJSON(t, c, payments.url+"/charges", `{"order":"a","amount_cents":1}`, 201, `{"charge":"charge-1","status":"captured"}`)
	get(t, c, payments.url+"/healthz", 200, "ok")
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	plain := start(t, "catalog", "--listen", "127.0.0.1:0")
	c := visitor(t)
	get(t, c, plain.url+"/healthz", 200, "ok")
	get(t, c, plain.url+"/products", 200, `[{"id":"mug-blue","name":"Blue mug","price_cents":1290,"stock":7},`)
	get(t, c, plain.url+"/products/mug-blue", 200, `{"id":"mug-blue","name":"Blue mug","price_cents":1290,"stock":7}`)
	get(t, c, plain.url+"/products/nope", 404, `{"error":"not found"}`)

	postJSON(t, c, plain.url+"/_pact/state", `{"state":"products exist"}`, 404) // nobody asked for them
	stated := start(t, "catalog", "--listen", "127.0.0.1:0", "--pact-states")
	for _, known := range []string{"products exist", "product mug-blue exists", "no product nope"} {
		postJSON(t, c, stated.url+"/_pact/state", `{"state":"`+known+`","action":"setup"}`, 200)
	}
	postJSON(t, c, stated.url+"/_pact/state", `{"state":"it rains"}`, 400, "state: got it rains, want one of: products exist, ")
}

// A request that does not end keeps no service from stopping.
func TestStopsWithARequestUnderWay(t *testing.T) {
	t.Parallel()
	payments := newTap(t)
	payments.silent.Store(true)
	shop := start(t, "storefront", "--listen", "127.0.0.1:0", "--payments", payments.url, "--call-timeout", "1m")
	c := visitor(t)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		res, err := c.Post(shop.url+"/api/checkout", "application/json", strings.NewReader(`{"id":"a"}`))
		if err == nil {
			res.Body.Close()
		}
	}()
	eventually(t, "the call reaches payments", func() bool { return payments.connections.Load() == 1 })
	begin := time.Now()
	shop.stop()
	if took := time.Since(begin); took > 900*time.Millisecond {
		t.Errorf("stopping took %v, want less than a second", took)
	}
	<-gone
}
