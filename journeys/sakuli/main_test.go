package sakuli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

var (
	pool     *journeys.Pool // the one browser that the tests share
	profiles string
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

type suite struct{ m *testing.M }

func (s suite) Run() int {
	var err error
	if profiles, err = os.MkdirTemp("", "foreshock-sakuli-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(profiles)
	pool = journeys.NewPool(journeys.PoolOptions{Dir: profiles, Max: 8}, discard())
	code := s.m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := pool.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func needBrowser(tb testing.TB) {
	tb.Helper()
	if _, err := journeys.FindBrowser(exec.LookPath); err != nil {
		proof.Lacks(tb, err.Error())
	}
}

func serve(tb testing.TB) string {
	tb.Helper()
	needBrowser(tb)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("testdata/pages")))
	mux.HandleFunc("/500", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "out of mugs")
	})
	mux.HandleFunc("/guarded", func(w http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth()
		if key != "opensesame" {
			w.Header().Set("WWW-Authenticate", `Basic realm="mugs"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "<h1>Hello %s</h1>", user)
	})
	s := httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s.URL
}

func testVars(base string) *kind.Vars {
	return &kind.Vars{Secrets: &kind.Secrets{}, Secret: []string{"SHOP_KEY"}, Env: func(name string) (string, bool) {
		v, ok := map[string]string{"SHOP_URL": base, "SHOP_KEY": "k3y-of-the-shop"}[name]
		return v, ok
	}}
}

// write makes a suite of one case, case1/check.js, that starts at a page of base.
func write(tb testing.TB, base, page, js string) *Suite {
	tb.Helper()
	s, err := Load(writeFiles(tb, map[string]string{
		"testsuite.suite": "case1/check.js ${env:SHOP_URL}" + page + "\n", "case1/check.js": js,
	}), testVars(base), nil, discard())
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func writeFiles(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "suite")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// runSuite runs a suite once, as internal/run does.
func runSuite(tb testing.TB, s *Suite, timeout time.Duration) results.Result {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	rec := results.NewRecorder()
	return rec.Finish(NewCheck(s, pool, journeys.EvidenceOnFailure, slog.New(slog.NewTextHandler(tb.Output(), nil))).Run(ctx, rec))
}

// tree writes the steps of a result, each with its status, those within another
// behind it. Actions are left out.
func tree(r results.Result) string {
	var out strings.Builder
	depth := map[int]int{}
	for i, s := range r.Steps {
		depth[i+1] = depth[s.Parent] + 1
		if s.Parent == 0 && s.Name == "browser" || strings.HasPrefix(s.Name, "_") || strings.HasPrefix(s.Name, "open http") {
			continue
		}
		fmt.Fprintf(&out, "%s%s: %s\n", strings.Repeat("  ", depth[i+1]-1), s.Name, s.Status)
	}
	return out.String()
}
