package scenarios_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/breaker"
	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// insideEnv makes the test program run the tests that need namespaces of their own.
const insideEnv = "FORESHOCK_TEST_INSIDE"

func TestMain(m *testing.M) {
	switch address := os.Getenv(dependencyEnv); address { //nolint:forbidigo // set by supervise
	case "":
	case "supervise":
		os.Exit(beSupervisor()) //nolint:forbidigo // the whole program of a child
	default:
		fmt.Fprintln(os.Stderr, beDependency(address))
		os.Exit(1) //nolint:forbidigo // as above
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // they wait more than they work
	goleak.VerifyTestMain(m)
}

// enter skips a test outside of namespaces, and makes them ready inside.
func enter(t *testing.T) {
	t.Helper()
	if os.Getenv(insideEnv) == "" { //nolint:forbidigo // set by TestOnTheKernel
		t.Skip("run by TestOnTheKernel")
	}
	_, dir, err := isolate.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
}

// What the services declare, small enough for quick tests. openFor is long enough to
// tell phases apart on a busy machine.
const (
	failures    = 3
	openFor     = 500 * time.Millisecond
	callTimeout = 100 * time.Millisecond
)

// A gate is what stands between the service and its dependency: a breaker, or a wrong one.
type gate interface {
	Do(ctx context.Context, fn func(context.Context) error) error
}

func newGate(t *testing.T, failures int, openFor time.Duration) gate {
	t.Helper()
	b, err := breaker.New(breaker.Settings{Name: "dependency", Failures: failures, OpenFor: openFor, CallTimeout: callTimeout})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// off lets everything through.
type off struct{}

func (off) Do(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return fn(ctx)
}

// leaky lets every fifth call through that its breaker refuses.
type leaky struct {
	gate
	refused atomic.Int64
}

func (l *leaky) Do(ctx context.Context, fn func(context.Context) error) error {
	err := l.gate.Do(ctx, fn)
	if errors.Is(err, breaker.ErrOpen) && l.refused.Add(1)%5 == 0 {
		return off{}.Do(ctx, fn)
	}
	return err
}

// A service calls its dependency through a gate.
type service struct {
	gate     gate
	retries  int
	slow     time.Duration // of the answer while open
	rejected int           // status of the answer while open
	body     string        // of the same
	pooled   bool          // its method may not be repeated by the client, so that a reset counts

	client     *http.Client
	dependency string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := s.gate.Do(r.Context(), s.pay)
	for n := 0; n < s.retries && err != nil && !errors.Is(err, breaker.ErrOpen); n++ {
		err = s.gate.Do(r.Context(), s.pay)
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case err == nil:
		fmt.Fprint(w, `{"paid": true}`)
	case errors.Is(err, breaker.ErrOpen):
		time.Sleep(s.slow)
		w.WriteHeader(s.rejected)
		fmt.Fprint(w, s.body)
	default:
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, `{"error": "payment failed"}`)
	}
}

func (s *service) pay(ctx context.Context) error {
	method := http.MethodGet
	if s.pooled {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, s.dependency, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// A rig is a service, its dependency, and the engine that hurts them.
type rig struct {
	service *service
	url     string // of the service
	address string // of the dependency
	looks   map[string]func(context.Context) error
	engine  *scenarios.Engine
	records records
	notes   chan scenarios.Note
	change  func(text string) string // of the scenario file
}

func newRig(t *testing.T, g gate) *rig {
	t.Helper()
	dependency := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(dependency.Close)
	s := &service{
		gate: g, client: &http.Client{Transport: &http.Transport{}}, dependency: dependency.URL,
		rejected: http.StatusServiceUnavailable, body: `{"error": "charged later"}`,
	}
	t.Cleanup(s.client.CloseIdleConnections)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	r := &rig{
		service: s, url: server.URL, address: strings.TrimPrefix(dependency.URL, "http://"),
		looks: map[string]func(context.Context) error{}, notes: make(chan scenarios.Note, 100),
	}
	log := slog.New(slog.DiscardHandler)
	r.engine = &scenarios.Engine{
		Runner: run.New("here", &r.records, &kind.Secrets{}, log), Injector: &faults.Injector{},
		Allowed: func() error { return nil }, Events: &r.records, Log: log, Version: "test", Host: "host",
		Progress: func(n scenarios.Note) { r.notes <- n },
	}
	return r
}

// scenario is the file of most tests.
const scenario = `
name: outage
target:
  http: {method: POST, url: "URL", timeout: 2s}
  success: {status: [200], json: {"$.paid": true}}
baseline: {idle: 300ms, calls: 5}
breaker:
  failures: 3
  open_for: 500ms
  call_timeout: 100ms
  rejected: {status: [503], body: charged later}
fault:
  - drop: {to: "ADDRESS"}
recovers_in: 3s
`

func (r *rig) spec(t *testing.T) *scenarios.Spec {
	t.Helper()
	text := scenario
	if r.change != nil {
		text = r.change(text)
	}
	text = strings.NewReplacer("URL", r.url, "ADDRESS", r.address).Replace(text)
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	specs, err := r.loader().Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return specs[0]
}

func (r *rig) loader() scenarios.Loader {
	type settings struct {
		Like string `yaml:"like"`
	}
	return scenarios.Loader{
		Env: func(string) (string, bool) { return "", false }, Secrets: &kind.Secrets{},
		Checks: func(*kind.Vars) kind.Table[results.Check] {
			return kind.Table[results.Check]{kind.Of("look", "looks as the test says", "like: a", settings{}, func(s settings) (results.Check, error) {
				look, ok := r.looks[s.Like]
				if !ok {
					return nil, kind.At("like", fmt.Errorf("got %q, want one of the test's", s.Like))
				}
				return check(look), nil
			})}
		},
	}
}

type check func(context.Context) error

func (c check) Run(ctx context.Context, _ *results.Recorder) error { return c(ctx) }

// run runs the scenario and holds what holds for every run.
func (r *rig) run(ctx context.Context, t *testing.T) *scenarios.Report {
	t.Helper()
	rep := r.engine.Run(ctx, r.spec(t)) //nolint:contextcheck // reading a file has limits of its own
	nothingLeft(t)                      //nolint:contextcheck // looks even if the run was stopped
	r.consistent(t, rep)
	return rep
}

func nothingLeft(t *testing.T) {
	t.Helper()
	left, err := (&faults.Injector{}).List(context.Background())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind in the kernel: %v, %v", left, err)
	}
}

// patient runs a scenario again while it comes to no verdict although one is expected:
// that is right on a machine short of CPU.
func patient(t *testing.T, v verdict.Verdict, run func() *scenarios.Report) *scenarios.Report {
	t.Helper()
	return patientFor(t, v, "", run)
}

// patientFor is patient where it is expected to come to no verdict, for a reason. What
// the other runs came to is logged, and how short of CPU the machine was.
func patientFor(t *testing.T, v verdict.Verdict, reason string, run func() *scenarios.Report) *scenarios.Report {
	t.Helper()
	for tries := 1; ; tries++ {
		start, before := time.Now(), waited(t)
		r := run()
		if r.Verdict != verdict.Inconclusive || v == verdict.Inconclusive && strings.Contains(r.Reason, reason) {
			return r
		}
		t.Logf("run %d was inconclusive: %s; work waited for a core in %v of %v", tries, r.Reason,
			(waited(t) - before).Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		if time.Duration(wasted.Load()) > patience {
			return r
		}
		calm(t)
		wasted.Add(int64(time.Since(start)))
	}
}

const (
	// patience is for how long all tests together run scenarios again. Only a machine that
	// stays short of CPU all this time makes a test fail that should not.
	patience = 4 * time.Minute
	// calmLimit is for how long a run waits until others need less of the machine.
	calmLimit = 15 * time.Second
)

// wasted is the time that went to runs without a verdict.
var wasted atomic.Int64

// calm waits until work finds a core nearly at once, for calmLimit at most.
func calm(t *testing.T) {
	t.Helper()
	const look, little = 200 * time.Millisecond, 20 * time.Millisecond
	for end := time.Now().Add(calmLimit); time.Now().Before(end); {
		before := waited(t)
		if err := sleep(t.Context(), look); err != nil || waited(t)-before < little {
			return
		}
	}
}

// waited is for how long, since the machine started, some work waited for a core; 0
// where the kernel does not tell.
func waited(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	var us int64
	if _, total, ok := strings.Cut(string(b), "total="); ok {
		_, _ = fmt.Sscan(total, &us)
	}
	return time.Duration(us) * time.Microsecond
}

// want holds verdict, exit code and the properties that fail.
func want(t *testing.T, r *scenarios.Report, v verdict.Verdict, code int, reason string, failed ...string) {
	t.Helper()
	if r.Verdict != v || r.ExitCode != code || !strings.Contains(r.Reason, reason) {
		t.Errorf("got %v with exit code %d (%s), want %v, %d and %q", r.Verdict, r.ExitCode, r.Reason, v, code, reason)
	}
	var got []string
	for _, p := range r.Properties {
		if p.Verdict == verdict.Fail {
			got = append(got, p.ID)
		}
		if v == verdict.Invalid && (p.Verdict == verdict.Pass || p.Verdict == verdict.Fail) {
			t.Errorf("%s: got %v without evidence", p.ID, p.Verdict)
		}
	}
	if strings.Join(got, " ") != strings.Join(failed, " ") {
		t.Errorf("failed properties: got %v, want %v", got, failed)
	}
	if t.Failed() {
		var b strings.Builder
		r.WriteText(&b)
		t.Log(b.String())
	}
}

func property(t *testing.T, r *scenarios.Report, id string) scenarios.PropertyLine {
	t.Helper()
	for _, p := range r.Properties {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no property %s", id)
	return scenarios.PropertyLine{}
}

// records keeps what is published.
type records struct {
	mu  sync.Mutex
	all []results.Record
	bad error
}

func (r *records) Publish(_ context.Context, recs ...results.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range recs {
		r.bad = errors.Join(r.bad, rec.Validate())
	}
	r.all = append(r.all, recs...)
	return nil
}

// events are the published events, a line each.
func (r *records) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, rec := range r.all {
		e := rec.Event
		switch {
		case e == nil:
		case e.Kind == results.EventBreaker:
			out = append(out, e.Text)
		case e.End.IsZero():
			out = append(out, e.Kind+" opens")
		default:
			out = append(out, e.Kind+" closes")
		}
	}
	return out
}

// nobody is an address of this namespace that nobody listens at.
func nobody(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
