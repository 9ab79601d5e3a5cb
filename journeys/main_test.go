package journeys

import (
	"context"
	"flag"
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
	"github.com/foreshock/foreshock/results"
)

var (
	childDir     = flag.String("journeys.child", "", "be the process that TestKilledProcess kills, with profiles in this directory")
	stageName    = flag.String("journeys.stage", "", "be the process that TestFirstProcess and others start")
	childBrowser = flag.String("journeys.browser", "", "its browser")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *childDir != "" {
		child(*childDir)
		return
	}
	// These tests wait for what must not come more than they compute.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(suite{m})
}

type suite struct{ *testing.M }

// Run runs the tests and then wants the browsers gone and no profile left.
func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "journeys-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	profiles = dir
	code := s.M.Run()
	if err := shared.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", left)
		code = 1
	}
	return code
}

var (
	profiles string // where every pool of these tests keeps its profiles
	shared   = &lazyPool{}
)

// lazyPool is the one warm browser that the tests share.
type lazyPool struct{ *Pool }

func (l *lazyPool) Close(ctx context.Context) error {
	if l.Pool == nil {
		return nil
	}
	return l.Pool.Close(ctx)
}

func logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// needBrowser skips where there is no browser, and fails where there must be one.
func needBrowser(tb testing.TB) {
	tb.Helper()
	if _, err := FindBrowser(exec.LookPath); err != nil {
		proof.Lacks(tb, err.Error())
	}
}

// warm returns the shared pool. Tests call it before they run in parallel.
func warm(tb testing.TB) *Pool {
	tb.Helper()
	needBrowser(tb)
	if shared.Pool == nil {
		shared.Pool = NewPool(PoolOptions{Dir: profiles, Max: 8}, logger(io.Discard))
		p, err := shared.page(context.Background())
		if err != nil {
			tb.Fatal(err)
		}
		p.close()
	}
	return shared.Pool
}

// own returns a pool of the test's own, whose browser the test may harm.
func own(tb testing.TB, o PoolOptions) *Pool {
	tb.Helper()
	needBrowser(tb)
	if o.Dir == "" {
		o.Dir = profiles
	}
	p := NewPool(o, logger(tb.Output()))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// serve answers with the pages of testdata and with some that misbehave.
func serve(tb testing.TB) string {
	tb.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("testdata/pages")))
	mux.HandleFunc("/order", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>Thanks</title><h1>Order  placed</h1><p>%s, %s, %s, %s</p>",
			r.FormValue("name"), r.FormValue("qty"), r.FormValue("day"), r.FormValue("note"))
	})
	mux.HandleFunc("/signed", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>Welcome</title><p id=welcome>%s, %s, %s, %s, %s, %s, %s, %s</p>", r.FormValue("name"), r.FormValue("key"), r.FormValue("plan"),
			r.FormValue("colour"), r.FormValue("seats"), r.FormValue("from"), r.FormValue("terms"), strings.ReplaceAll(r.FormValue("note"), "\r", ""))
	})
	mux.HandleFunc("/503", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "<title>Sorry</title>Back soon")
	})
	mux.HandleFunc("/500-empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("/204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/download", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", "attachment; filename=a.bin")
		w.Write([]byte("data"))
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "<title>Half</title>half a page")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/reset", func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		c.Close()
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		sleep(r.Context(), 250*time.Millisecond)
		fmt.Fprint(w, "<title>Slow</title>here at last")
	})
	mux.HandleFunc("/second", func(w http.ResponseWriter, r *http.Request) {
		sleep(r.Context(), 250*time.Millisecond)
		fmt.Fprint(w, `<title>Second</title><form action="/order" method="post"><button id="go">Go</button></form>`)
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/redirect?again", http.StatusFound)
	})
	mux.HandleFunc("/script-redirect", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<title>Round</title><p id=round>round and round<script>location.href = "/script-redirect?" + Math.random()</script>`)
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<title>Huge</title><button id=go>Go</button>")
		line := []byte("<p>" + strings.Repeat("a huge page ", 80) + "</p>\n")
		for range 50 << 20 / len(line) {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie("seen")
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", MaxAge: 60})
		fmt.Fprintf(w, "first visit: %v", err != nil)
	})
	mux.HandleFunc("/api/cart", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "cookie-session-value"})
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "response-body-text")
	})
	mux.HandleFunc("/asked", func(w http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth()
		c, err := r.Cookie("consent")
		if err != nil {
			c = &http.Cookie{}
		}
		if r.FormValue("login") != "" && user == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprintf(w, `<!doctype html><meta name=viewport content="width=device-width"><p>user %s %s, cookie %s, header %s, <script>document.write(innerWidth + "x" + innerHeight + " at " + devicePixelRatio + " touch " + navigator.maxTouchPoints)</script>`,
			user, key, c.Value, r.Header.Get("X-Monitor"))
	})
	mux.HandleFunc("/to-dead", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<title>Door</title><a id="dead" href="http://%s/">Go</a> <a id="hang" href="/hang">Hang</a>`, deadAddress(tb))
	})
	s := httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s.URL
}

// deadAddress is one on which nothing listens.
func deadAddress(tb testing.TB) string {
	tb.Helper()
	s := httptest.NewServer(nil)
	defer s.Close()
	return s.Listener.Addr().String()
}

func testVars(dir string) *kind.Vars {
	return &kind.Vars{Dir: dir, Env: func(string) (string, bool) { return "", false }, Secrets: &kind.Secrets{}}
}

// write makes a journey file out of steps; $BASE is the address of the pages.
func write(tb testing.TB, base, text string) *Journey {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "journey.yaml")
	text = "vars: {base: \"" + base + "\"}\n" + text
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	j, err := Load(path, testVars(filepath.Dir(path)), nil)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range j.steps {
		if j.steps[i].timeout == patience {
			j.steps[i].timeout = busyPatience
		}
	}
	return j
}

// busyPatience is how long actions wait that are to succeed, however busy the machine is.
const busyPatience = time.Minute

// ample is for runs whose time is not what is tested: the machine may be very busy.
const ample = 5 * time.Minute

// walk runs a journey once, as internal/run does.
func walk(tb testing.TB, p *Pool, j *Journey, timeout time.Duration) results.Result {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	rec := results.NewRecorder()
	return rec.Finish(NewCheck(j, p).Run(ctx, rec))
}

// one is a journey of one step that opens path and goes on with actions.
func one(tb testing.TB, base, path string, actions ...string) *Journey {
	tb.Helper()
	actions = append([]string{"open: ${base}" + path}, actions...)
	return write(tb, base, "steps:\n- step: only\n  do:\n  - "+strings.Join(actions, "\n  - ")+"\n")
}

// hasty is one whose last action, which must fail, is a step of its own and waits for
// 700ms only.
func hasty(tb testing.TB, base, path string, actions ...string) *Journey {
	tb.Helper()
	return hastyFor(tb, 700*time.Millisecond, base, path, actions...)
}

// hastyFor is hasty with another time, for what takes several looks to see.
func hastyFor(tb testing.TB, timeout time.Duration, base, path string, actions ...string) *Journey {
	tb.Helper()
	actions = append([]string{"open: ${base}" + path}, actions...)
	first, last := actions[:len(actions)-1], actions[len(actions)-1]
	text := "steps:\n"
	if len(first) > 0 {
		text += "- step: before\n  timeout: 60s\n  do:\n  - " + strings.Join(first, "\n  - ") + "\n"
	}
	return write(tb, base, text+"- step: only\n  timeout: "+timeout.String()+"\n  do:\n  - "+last+"\n")
}

func stepNamed(tb testing.TB, r results.Result, name string) results.Step {
	tb.Helper()
	var names []string
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
		names = append(names, s.Name)
	}
	tb.Fatalf("no step %q among %s", name, strings.Join(names, ", "))
	return results.Step{}
}

func wantResult(tb testing.TB, r results.Result, s results.Status, c results.Cause, texts ...string) {
	tb.Helper()
	if r.Status != s || r.Cause != c {
		tb.Errorf("got %v (%s): %s\nwant %v (%s)", r.Status, r.Cause, r.Message, s, c)
	}
	for _, text := range texts {
		if !strings.Contains(r.Message, text) {
			tb.Errorf("message %q\ndoes not say %q", r.Message, text)
		}
	}
}

// artifact is the evidence of that name beside a step.
func artifact(tb testing.TB, r results.Result, step, name string) results.Artifact {
	tb.Helper()
	var names []string
	for _, a := range stepNamed(tb, r, step).Artifacts {
		if a.Name == name {
			return a
		}
		names = append(names, a.Name)
	}
	tb.Fatalf("step %s has no %s among %q; it failed with %q", step, name, names, r.Message)
	return results.Artifact{}
}
