package main

import (
	"context"
	"net"
	"net/http"
	"time"
)

// newServiceClient makes the HTTP client with which one service of the shop calls
// another. A call is one connection: none is pooled, so Go has no dead one to repeat
// a request on, and whoever counts connections counts calls. It follows no redirect,
// asks no proxy, and takes at most timeout for all of the exchange.
func newServiceClient(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{FallbackDelay: -1} // one address after the other, never two at once
	return &http.Client{
		Timeout: timeout,
		Transport: tiedTransport{&http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if call, ok := ctx.Value(callKey{}).(context.Context); ok {
					ctx = call
				}
				return dialer.DialContext(ctx, network, address)
			},
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A tiedTransport ends the dial of a call together with the call. By itself
// [http.Transport] dials on in the background for the sake of calls to come, and a
// dependency that a breaker has cut off would go on receiving connections.
type tiedTransport struct{ inner http.RoundTripper }

type callKey struct{}

// RoundTrip implements [http.RoundTripper].
func (t tiedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	// The context that the transport dials with keeps the values of the call's and
	// loses its end, so the call's own goes in as a value.
	ctx := context.WithValue(req.Context(), callKey{}, req.Context())
	return t.inner.RoundTrip(req.WithContext(ctx))
}
