package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// errNotFound is what a look-up of a product that the catalog does not have ends with.
var errNotFound = errors.New("not found")

// A product is what the shop sells, as the catalog describes it.
type product struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	PriceCents int    `json:"price_cents"`
	Stock      int    `json:"stock"`
}

// A catalogClient asks the catalog service what there is to sell.
type catalogClient struct {
	base string
	http *http.Client
}

// newCatalogClient makes a client of the catalog at baseURL, such as
// http://127.0.0.1:8081, whose calls take at most timeout.
func newCatalogClient(baseURL string, timeout time.Duration) *catalogClient {
	return &catalogClient{strings.TrimRight(baseURL, "/"), newServiceClient(timeout)}
}

// List returns all products.
func (c *catalogClient) List(ctx context.Context) ([]product, error) {
	var all []product
	err := c.get(ctx, "/products", &all)
	return all, err
}

// Product returns one product; the error of an unknown id is [errNotFound].
func (c *catalogClient) Product(ctx context.Context, id string) (product, error) {
	var p product
	err := c.get(ctx, "/products/"+url.PathEscape(id), &p)
	return p, err
}

func (c *catalogClient) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil) //nolint:gosec // the operator names the host, and the id is escaped
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if err := exchange(c.http, req, http.StatusOK, into); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return nil
}

// exchange sends req and decodes the answer, which must have the wanted status.
func exchange(client *http.Client, req *http.Request, want int, into any) error {
	res, err := client.Do(req) //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer res.Body.Close()
	subject := req.Method + " " + req.URL.Path
	switch res.StatusCode {
	case want:
	case http.StatusNotFound:
		return fmt.Errorf("%s: %w", subject, errNotFound)
	default:
		return fmt.Errorf("%s: got status %d, want %d", subject, res.StatusCode, want)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s: got an answer that is not the JSON expected: %w", subject, err)
	}
	return nil
}
