package contracts_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/internal/proof"
)

// built is foreshock-pact, built once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "foreshock-pact")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "foreshock-pact")
	cmd := exec.Command("go", "build", "-o", path, "../cmd/foreshock-pact")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if url, isHelper := os.LookupEnv("HELPER_VERIFIES"); isHelper { //nolint:forbidigo // how a test talks to its own process
		verifyAndWait(url)
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if path, err := built(); err == nil {
			os.RemoveAll(filepath.Dir(path))
		}
		os.Exit(code) //nolint:forbidigo // goleak leaves it to its caller
	}))
}

// library is where the tests look for libpact_ffi.
func library() string {
	if path := os.Getenv("FORESHOCK_PACT_LIB"); path != "" { //nolint:forbidigo // the test's own setting
		return path
	}
	path, _ := filepath.Abs("../.tools/pact/libpact_ffi.so")
	return path
}

// realWorker returns a worker with its real library.
func realWorker(t *testing.T) *contracts.Worker {
	t.Helper()
	path, err := built()
	if err == nil {
		_, err = os.Stat(library())
	}
	if err != nil {
		proof.Lacks(t, "install the verifier with scripts/setup-pact.sh and a C compiler: "+err.Error())
	}
	return &contracts.Worker{Path: path, Library: library()}
}

// inventory is a provider that keeps the contracts in testdata, if qty is a number.
func inventory(t *testing.T, qty any) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stock/sku-1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"sku": "sku-1", "qty": qty})
	})
	mux.HandleFunc("GET /stock/nope", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, map[string]any{"error": "not found"})
	})
	mux.HandleFunc("GET /stock/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("POST /state", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]any{}) })
	mux.HandleFunc("POST /no-state", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// serve is a provider that does the same whatever is asked.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// hanging is a provider that accepts requests and never answers.
func hanging(t *testing.T) *httptest.Server {
	t.Helper()
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(done); s.CloseClientConnections(); s.Close() })
	return s
}

func request(url string, files ...string) contracts.Request {
	return contracts.Request{Provider: "inventory", URL: url, Files: files}
}
