//go:build cgo

package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pact-foundation/pact-go/v2/consumer"
	pactlog "github.com/pact-foundation/pact-go/v2/log"
	"github.com/pact-foundation/pact-go/v2/matchers"

	_ "github.com/foreshock/foreshock/contracts/pactlib" // where the library is
)

// The contract that the storefront has with the catalog is what this test writes, and
// it is committed: the catalog is held to it without the storefront's code.
const committedPact = "../../examples/shop/pacts/storefront-catalog.json"

var updatePact = flag.Bool("update-pact", false, "write the pact that the storefront's tests make to "+committedPact)

// It links libpact_ffi, which scripts/setup-pact.sh gets; without it, this package's
// tests are built by CGO_ENABLED=0 go test, which leaves this one out.
func TestStorefrontPact(t *testing.T) {
	t.Setenv("PACT_DO_NOT_TRACK", "true")
	if err := pactlog.SetLogLevel("ERROR"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	catalog, err := consumer.NewV3Pact(consumer.MockHTTPProviderConfig{
		Consumer: "storefront", Provider: "catalog", PactDir: dir, Host: "127.0.0.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	mug := matchers.Map{
		"id":          matchers.Like("mug-blue"),
		"name":        matchers.Like("Blue mug"),
		"price_cents": matchers.Integer(1290),
		"stock":       matchers.Integer(7),
	}
	want := product{"mug-blue", "Blue mug", 1290, 7}

	for _, tt := range []struct {
		state, description, path string
		status                   int
		body                     any
		use                      func(*catalogClient) error
	}{
		{"products exist", "a request for all products", "/products", http.StatusOK, matchers.EachLike(mug, 1), func(c *catalogClient) error {
			got, err := c.List(t.Context())
			return differs(got, []product{want}, err)
		}},
		{"product mug-blue exists", "a request for one product", "/products/mug-blue", http.StatusOK, mug, func(c *catalogClient) error {
			got, err := c.Product(t.Context(), "mug-blue")
			return differs(got, want, err)
		}},
		{"no product nope", "a request for an unknown product", "/products/nope", http.StatusNotFound, matchers.Map{"error": matchers.Like("not found")}, func(c *catalogClient) error {
			if _, err := c.Product(t.Context(), "nope"); !errors.Is(err, errNotFound) {
				return fmt.Errorf("got %w, want %w", err, errNotFound)
			}
			return nil
		}},
	} {
		t.Run(tt.description, func(t *testing.T) {
			err := catalog.AddInteraction().Given(tt.state).UponReceiving(tt.description).
				WithCompleteRequest(consumer.Request{
					Method: http.MethodGet, Path: matchers.String(tt.path),
					Headers: matchers.MapMatcher{"Accept": matchers.String("application/json")},
				}).
				WithCompleteResponse(consumer.Response{
					Status: tt.status, Body: tt.body,
					Headers: matchers.MapMatcher{"Content-Type": matchers.Term("application/json", `^application/json`)},
				}).
				ExecuteTest(t, func(mock consumer.MockServerConfig) error {
					return tt.use(newCatalogClient(fmt.Sprintf("http://%s:%d", mock.Host, mock.Port), 2*time.Second))
				})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	if !t.Failed() {
		comparePact(t, filepath.Join(dir, "storefront-catalog.json"))
	}
}

func differs[T any](got, want T, err error) error {
	if diff := cmp.Diff(want, got); err == nil && diff != "" {
		return fmt.Errorf("products (-want +got):\n%s", diff)
	}
	return err
}

func comparePact(t *testing.T, written string) {
	t.Helper()
	got, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	if *updatePact {
		if err := os.MkdirAll(filepath.Dir(committedPact), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(committedPact, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(committedPact)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./cmd/shop -run Pact -update-pact", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the storefront needs what %s does not say (-committed +needed); write it with: go test ./cmd/shop -run Pact -update-pact\n%s", committedPact, diff)
	}
}
