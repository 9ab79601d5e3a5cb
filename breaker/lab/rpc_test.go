package lab

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A service whose calls go over gRPC is one like the others.
func TestServiceOverGRPC(t *testing.T) {
	t.Parallel()
	for breaker, then := range map[string]int{overGRPC: http.StatusServiceUnavailable, "plain": http.StatusServiceUnavailable, "never-opens": http.StatusBadGateway} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dependency := httptest.NewUnstartedServer(eitherWay(http.HandlerFunc(paid)))
		dependency.Config.Protocols = new(http.Protocols)
		dependency.Config.Protocols.SetUnencryptedHTTP2(true)
		dependency.Start()
		defer dependency.Close()
		// Long enough for the connection on a machine short of CPU.
		s := Service{Breaker: breaker, GRPC: true, CallTimeoutMS: 1000, OpenMS: 60_000, Dependencies: []string{strings.TrimPrefix(dependency.URL, "http://")}}
		h, err := s.handler(ctx)
		if err != nil {
			t.Fatal(err)
		}
		call := func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/checkout", http.NoBody))
			return w.Code
		}
		if got := call(); got != http.StatusOK {
			t.Fatalf("%s: got %d of a service that is well", breaker, got)
		}
		dependency.CloseClientConnections()
		dependency.Close()
		for n := range 6 {
			want := http.StatusBadGateway
			if n == 5 {
				want = then
			}
			if got := call(); got != want {
				t.Errorf("%s: got %d for call %d, want %d", breaker, got, n+1, want)
			}
		}
	}
}

// As gRPC comes, calls fail at once while the last try to connect has failed.
func TestServiceOverGRPCAsItComes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dependency := httptest.NewUnstartedServer(eitherWay(http.HandlerFunc(paid)))
	dependency.Config.Protocols = new(http.Protocols)
	dependency.Config.Protocols.SetUnencryptedHTTP2(true)
	dependency.Start()
	address := strings.TrimPrefix(dependency.URL, "http://")
	s := Service{GRPC: true, AsItComes: true, Dependencies: []string{address}}
	conn, err := s.dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := callGRPC(ctx, conn, false); err != nil {
		t.Fatalf("well: got %v", err)
	}
	dependency.CloseClientConnections()
	dependency.Close()
	for n := range 6 {
		short, stop := context.WithTimeout(ctx, 10*time.Second)
		err := callGRPC(short, conn, false)
		stop()
		if code := status.Code(err); code != codes.Unavailable {
			t.Errorf("call %d after the end of the dependency: got %v, want Unavailable, and no waiting", n, err)
		}
	}
}
