package scenarios

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

const token = "tok-4711-secret"

// login is a service that gives a token and wants it back.
func login(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		fmt.Fprintf(w, `{"token": %q, "user": {"id": 42}, "all": [1, 2]}`, token)
	case "/orders/42":
		if body, _ := io.ReadAll(r.Body); r.Header.Get("Authorization") != "Bearer "+token || string(body) != `{"by":"42"}` {
			w.WriteHeader(http.StatusUnauthorized)
		}
	case "/echo":
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, token)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// begin makes a run of a scenario whose setup and teardown are these, and no fault yet.
func begin(t *testing.T, steps string, looks *[]string) *experiment {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(login))
	t.Cleanup(server.Close)
	text := `
name: outage
target:
  http: {method: POST, url: "URL/orders/${id}", headers: {Authorization: "Bearer ${token}"}, body: '{"by":"${id}"}'}
checks: [{name: a, look: {like: "sees ${token}, $$"}}]
fault: [{drop: {to: "127.0.0.1:9"}}]
` + steps
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "URL", server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	type settings struct {
		Like string `yaml:"like"`
	}
	specs, err := Loader{Secrets: &kind.Secrets{}, Checks: func(*kind.Vars) kind.Table[results.Check] {
		return kind.Table[results.Check]{kind.Of("look", "looks", "like: a", settings{}, func(s settings) (results.Check, error) {
			return look{looks, s.Like}, nil
		})}
	}}.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	x := newExperiment(&Engine{Runner: run.New("here", nil, &kind.Secrets{}, log), Log: log}, specs[0], "run")
	x.enter("idle")
	t.Cleanup(x.caller.close)
	return x
}

// look is a check that notes what it was to see.
type look struct {
	saw  *[]string
	like string
}

func (l look) Run(context.Context, *results.Recorder) error {
	*l.saw = append(*l.saw, l.like)
	return nil
}

const saving = `setup: [{http: {method: POST, url: "URL/login", save: {token: "$.token", id: "$.user.id"}}}, {exec: [test, "${id}", -eq, "42"]}]
`

// What the setup saves is used by calls and checks, and shown by nothing.
func TestSavedValues(t *testing.T) {
	t.Parallel()
	var looks []string
	x := begin(t, saving, &looks)
	if err := x.setUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := x.caller.call(t.Context()); c.Outcome != verdict.Success {
		t.Errorf("got %v: %s, want a call with the saved values to succeed", c.Outcome, c.Error)
	}
	entry, _ := x.runner.Entry("a")
	if err := entry.Check.Run(t.Context(), nil); err != nil || strings.Join(looks, "") != "sees "+token+", $" {
		t.Errorf("got the checks %q, %v, want one with the token", looks, err)
	}
	if got := x.spec.secrets.Mask(token); got != "***" {
		t.Errorf("got %q, want what was saved to be a secret", got)
	}
}

// A setup that fails leaves nothing to judge, and its error tells no secret.
func TestSetupFails(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		`http: {url: "URL/none"}`:                                                "http http://127.0.0.1",
		`http: {url: "URL/no"}`:                                                  "/no: status: got 404, want 2xx",
		`http: {url: "URL/login", save: {x: "$.tok"}}`:                           "save x: got 0 values at $.tok, want one",
		`http: {url: "URL/login", save: {x: "$.all"}}`:                           "save x: got no text, number or bool at $.all, want one",
		`http: {url: "URL/echo", save: {x: "$.token"}}`:                          "/echo: status: got 418, want 2xx",
		`http: {url: "URL/echo", save: {x: "$.token"}, expect: {status: [418]}}`: "save x: got a body that is not JSON, want $.token in it",
		`http: {url: "URL/login", expect: {body: none}}`:                         `body: got "{\"token\": \"***\"`,
		`exec: [sh, -c, "echo said ${token} >&2; exit 3"]`:                       "exit status 3: said ***",
		`exec: [./none.sh]`:                                                      "no such file or directory",
		`exec: {args: [sleep, "60"], timeout: 50ms}`:                             "exec sleep 60: it took longer than its timeout of 50ms",
		`exec: [sh, -c, "pwd; exit 3"]`:                                          "exit status 3: /",
	} {
		x := begin(t, strings.Replace(saving, "]\n", ", {"+step+"}]\n", 1), new([]string))
		err := x.setUp(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "inconclusive: setup: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s:\ngot  %v\nwant %s", step, err, want)
		}
	}
}

// The teardown is done by a run that came to its setup, however it ended, all of it,
// with what was saved; that it failed is told beside the verdict.
func TestTeardown(t *testing.T) {
	t.Parallel()
	steps := saving + `teardown: [{exec: [sh, -c, "echo left ${token}; exit 1"]}, {exec: [sh, -c, "echo ${id} > done"]}]
`
	x := begin(t, steps, new([]string))
	done := filepath.Join(filepath.Dir(x.spec.path), "done")
	ctx, stop := context.WithCancel(t.Context())
	x.tearDown(ctx)
	if _, err := os.Stat(done); err == nil {
		t.Error("got a teardown of a run that did not come to its setup")
	}
	if err := x.setUp(ctx); err != nil {
		t.Fatal(err)
	}
	stop()
	x.tearDown(ctx)
	if got, err := os.ReadFile(done); err != nil || string(got) != "42\n" {
		t.Errorf("got %q, %v, want the teardown of a stopped run done to its end", got, err)
	}
	if x.untidy == nil || !strings.HasSuffix(x.untidy.Error(), "exit status 1: left ***") {
		t.Errorf("got %v, want what failed, without secrets", x.untidy)
	}
	r := &Report{Scenario: "outage", Verdict: verdict.Pass, Reason: "none failed", Untidy: x.untidy.Error()}
	var text strings.Builder
	r.WriteText(&text)
	if !strings.Contains(text.String(), "pass (none failed)\n  teardown failed: exec sh") {
		t.Errorf("got %s, want the teardown in it", text.String())
	}
	rec := results.NewRecorder()
	err := (&Engine{}).Record(t.Context(), rec, r)
	if res := rec.Finish(err); res.Status != results.OK || !strings.Contains(res.Message, "teardown failed") {
		t.Errorf("got %v %q, want ok and the teardown in its message", res.Status, res.Message)
	}
}
