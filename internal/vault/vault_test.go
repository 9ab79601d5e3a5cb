package vault_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/vault"
)

// server speaks as much of Vault's HTTP API as reading a secret takes. It is no Vault:
// the paths, the headers and the answers are those of Vault's own documentation.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, data any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"data": data}); err != nil {
			t.Error(err)
		}
	}
	mount := func(path, version string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{"path": path, "type": "kv", "options": map[string]string{"version": version}})
		}
	}
	mux.HandleFunc("GET /v1/sys/internal/ui/mounts/secret/{name}", mount("secret/", "2"))
	mux.HandleFunc("GET /v1/sys/internal/ui/mounts/team/kv/{name}", mount("team/kv/", "1"))
	mux.HandleFunc("GET /v1/secret/data/shop", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"data":     map[string]any{"password": "hunter22", "pin": 4711},
			"metadata": map[string]any{"version": 3, "created_time": "2026-11-22T10:00:00.0Z", "deletion_time": "", "destroyed": false},
		})
	})
	mux.HandleFunc("GET /v1/hidden/data/shop", func(w http.ResponseWriter, _ *http.Request) { // a mount that cannot be asked about
		answer(w, map[string]any{
			"data":     map[string]any{"password": "hidden-word"},
			"metadata": map[string]any{"version": 1, "created_time": "2026-11-22T10:00:00.0Z", "deletion_time": "", "destroyed": false},
		})
	})
	mux.HandleFunc("GET /v1/team/kv/shop", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"password": "old-word"}) })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte(`{"errors":[]}`))
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Token") != "s.token" {
			w.WriteHeader(http.StatusForbidden)
			w.Write([]byte(`{"errors":["permission denied"]}`))
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestFrom(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"VAULT_ADDR": server(t).URL, "VAULT_TOKEN": "s.token"}
	env := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	for at, want := range map[[2]string]string{
		{"secret/shop", "password"}:  "hunter22",
		{"/secret/shop", "pin"}:      "4711",
		{"team/kv/shop", "password"}: "old-word",
		{"hidden/shop", "password"}:  "hidden-word",
	} {
		if got, err := vault.From(env)(at[0], at[1]); got != want || err != nil {
			t.Errorf("%v: got %q and %v, want %q", at, got, err, want)
		}
	}
	for at, want := range map[[2]string]string{
		{"secret/shop", "pasword"}:  `the secret has no key "pasword"`,
		{"secret/none", "password"}: "secret not found",
		{"secret", "password"}:      `got path "secret", want the engine and the secret`,
	} {
		if got, err := vault.From(env)(at[0], at[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %q and %v, want %q", at, got, err, want)
		}
	}
}

func TestWhoMayNotRead(t *testing.T) {
	t.Parallel()
	addr := server(t).URL
	for token, want := range map[string]string{"": "no VAULT_TOKEN", "s.wrong": "permission denied"} {
		env := func(name string) (string, bool) {
			v := map[string]string{"VAULT_ADDR": addr, "VAULT_TOKEN": token}[name]
			return v, v != ""
		}
		_, err := vault.From(env)("secret/shop", "password")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s.wrong") {
			t.Errorf("token %q: got %v, want %q, and not the token", token, err, want)
		}
	}
}
