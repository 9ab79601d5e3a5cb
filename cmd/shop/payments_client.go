package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A paymentsClient asks the payments service for money.
type paymentsClient struct {
	base string
	http *http.Client
}

// newPaymentsClient makes a client of payments at baseURL whose calls take at most timeout.
func newPaymentsClient(baseURL string, timeout time.Duration) *paymentsClient {
	return &paymentsClient{strings.TrimRight(baseURL, "/"), newServiceClient(timeout)}
}

// Charge asks once, and is nil when payments have the money. An error does not say
// that they have not: the answer may have been lost.
func (c *paymentsClient) Charge(ctx context.Context, ask charge) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return fmt.Errorf("payments: %w", err)
	}
	// A reader of a type that net/http does not know cannot be read again for a repeat.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/charges", io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return fmt.Errorf("payments: %w", err)
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", "application/json")
	var r receipt
	if err := exchange(c.http, req, http.StatusCreated, &r); err != nil {
		return fmt.Errorf("payments: %w", err)
	}
	if r.Status != captured {
		return fmt.Errorf("payments: status of the charge: got %q, want %q", r.Status, captured)
	}
	return nil
}
