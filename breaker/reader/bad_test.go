package reader_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/reader"
	"github.com/foreshock/foreshock/results"
)

func fails(context.Context) error { return errors.New("refused") }

// at replaces the url of a kind's example.
func at(t *testing.T, kind, url string) string {
	t.Helper()
	for _, k := range reader.Kinds() {
		if k.Name != kind {
			continue
		}
		lines := strings.Split(strings.TrimSpace(k.Example), "\n")
		if !strings.HasPrefix(lines[0], "url: ") {
			t.Fatalf("example of %s: got %q first, want the url", kind, lines[0])
		}
		lines[0] = "url: " + url
		return strings.Join(lines, "\n")
	}
	t.Fatal("no kind " + kind)
	return ""
}

func TestExamplesBuild(t *testing.T) {
	t.Parallel()
	for _, k := range reader.Kinds() {
		r, err := reader.Kinds().BuildText(k.Name, k.Example)
		if err != nil {
			t.Errorf("example of %s: %v", k.Name, err)
			continue
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// No kind takes an answer that is no answer for a state, and each says what it got.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "http://127.0.0.1:1/login?token=hidden")
			w.WriteHeader(status)
			w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		cause results.Cause
		words []string
		only  []string // kinds; default: all
	}{
		{"an HTML page", answer(200, "text/html", "<!DOCTYPE html><p>hello"), results.CauseTool, []string{"got an HTML page"}, nil},
		{"an HTML page that hides", answer(200, "text/plain", "<!DOCTYPE html><p>hello"), results.CauseTool, nil, nil},
		{"401", answer(401, "text/plain", "who?"), results.CausePermission, []string{"got 401 Unauthorized, want 200: set headers"}, nil},
		{"403", answer(403, "text/plain", "no"), results.CausePermission, []string{"got 403 Forbidden"}, nil},
		{"500", answer(500, "text/plain", "oh"), results.CauseTool, []string{"got 500 Internal Server Error, want 200"}, nil},
		{"404", answer(404, "text/plain", "oh"), results.CauseTool, []string{}, nil},
		{"a redirect", answer(302, "text/plain", ""), results.CauseTool, []string{"got 302 Found", "redirects are not followed"}, nil},
		{"half a body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("half"))
		}, results.CauseTool, nil, nil},
		{"half a line", answer(200, "text/plain", `circuit{name="payments",ev`), results.CauseTool, nil, nil},
		{"half of JSON", answer(200, "application/json", `{"circuitBreakers":{"payments":{"sta`), results.CauseTool, nil, nil},
		{"other JSON", answer(200, "application/json", `{"status":"UP"}`), results.CauseTool, nil, nil},
		{"null", answer(200, "application/json", `null`), results.CauseTool, nil, nil},
		{"a stream of something else", answer(200, "text/event-stream", "data: hello\n\n"), results.CauseTool, nil, nil},
		{"a huge body", func(w http.ResponseWriter, r *http.Request) {
			line := []byte(strings.Repeat("# nothing to see\n", 1<<12))
			for r.Context().Err() == nil {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, results.CauseTool, []string{"got more than 16 MB"}, []string{"dapr", "gobreaker"}},
		{"a huge event", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Write([]byte("data: "))
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat("x", 1<<16))); err != nil {
					return
				}
			}
		}, results.CauseTool, []string{"too long"}, []string{"hystrix", "opossum"}},
	} {
		for _, k := range reader.Kinds() {
			if c.only != nil && !slices.Contains(c.only, k.Name) {
				continue
			}
			t.Run(k.Name+" "+c.name, func(t *testing.T) {
				t.Parallel()
				s := httptest.NewServer(c.serve)
				t.Cleanup(s.Close)
				r := build(t, k.Name, at(t, k.Name, s.URL+"/path?token=hidden")+"\ntimeout: 10s")
				blind(t, r, c.cause, append(c.words, s.URL+"/path")...)
				if _, err := r.Read(t.Context()); err == nil || strings.Contains(err.Error(), "hidden") {
					t.Errorf("got %v, want an error again, without the query", err)
				}
			})
		}
	}
}

// A server that says nothing takes the time limit, and not more; a caller that stops
// is not the source's fault.
func TestHanging(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	for _, k := range reader.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			r := build(t, k.Name, at(t, k.Name, "http://"+ln.Addr().String())+"\ntimeout: 50ms")
			blind(t, r, results.CauseTool, "got no whole answer in 50ms")
			r = build(t, k.Name, at(t, k.Name, "http://"+ln.Addr().String())+"\ntimeout: 1m")
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			_, err := r.Read(ctx)
			if status, cause := results.Judge(err); status != results.Unknown || cause != results.CauseStopped {
				t.Errorf("stopped: got %v, %v: %v, want unknown, stopped", status, cause, err)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	for _, k := range reader.Kinds() {
		r := build(t, k.Name, at(t, k.Name, "http://"+ln.Addr().String()+"/p?token=hidden"))
		blind(t, r, results.CauseTool, "refused")
		if _, err := r.Read(t.Context()); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got %v, want an error without the query", k.Name, err)
		}
	}
}

// A name that is not there is answered with those that are.
func TestWrongName(t *testing.T) {
	t.Parallel()
	own := `[{"name":"payments","state":"closed"},{"name":"stock","state":"open"}]`
	for _, c := range []struct{ kind, settings, file, want string }{
		{"resilience4j", "name: inventry", "resilience4j_micrometer_new.prom", `unknown circuit breaker "inventry"; did you mean "inventory"? Known: inventory`},
		{"resilience4j", "name: inventry", "actuator_circuitbreakers.json", `unknown circuit breaker "inventry"; did you mean "inventory"? Known: inventory, payments`},
		{"resilience4j", "name: inventory", "dapr.prom", "got 2 metrics without resilience4j_circuitbreaker_state"},
		{"envoy", "name: inventry", "envoy.prom", `unknown cluster "inventry"; did you mean "inventory"?`},
		{"envoy", "name: fake", "envoy_clusters.json", `unknown cluster "fake"; known: fake_cluster`},
		{"istio", "name: payments", "istio.prom", `unknown cluster "payments"; known: outbound|8000||httpbin.target.svc.cluster.local`},
		{"istio", "name: httpbin.target.svc.cluster.local\nwatch: limits", "istio.prom", "proxyStatsMatcher"},
		{"opossum", "name: inventry", "opossum_toJSON_open.json", `unknown breaker "inventry"; did you mean "inventory"?`},
		{"gobreaker", "name: payment", own, `unknown breaker "payment"; did you mean "payments"? Known: payments, stock`},
		{"gobreaker", "name: payments", `[{"name":"payments","state":"ajar"}]`, `got "ajar", want closed, half-open or open`},
		{"gobreaker", "name: payments", `[{"name":"payments","state":"open"},{"name":"payments","state":"closed"}]`, `more than one breaker is selected: 2 are called "payments"`},
		{"prometheus", "metric: dapr_resiliency_state\nstate_label: status", "dapr.prom", `unknown metric "dapr_resiliency_state"; did you mean "dapr_resiliency_cb_state"?`},
		{"prometheus", "metric: dapr_resiliency_cb_state\nstate_label: status\nlabels: {name: mine}", "dapr.prom", `got no series with the labels, only known: {app_id="client"`},
		{"prometheus", "metric: dapr_resiliency_cb_state\nvalues: {1: open}", "dapr.prom", `more than one breaker is selected`},
	} {
		path, body := "/"+c.file, ""
		if strings.HasPrefix(c.file, "[") {
			path, body = "/breakers", c.file
		} else {
			body = fixture(t, c.file)
		}
		s := serve(t, map[string]string{path: body})
		blind(t, build(t, c.kind, "url: "+s.URL+path+"\n"+c.settings), results.CauseTool, c.want)
	}
}

// Labels choose among breakers of one name.
func TestSeveralOfOneName(t *testing.T) {
	t.Parallel()
	for kind, line := range map[string]string{
		"resilience4j": `resilience4j_circuitbreaker_state{name="p",state="STATE",application="APP"} 1`,
		"dapr":         `dapr_resiliency_cb_state{name="p",status="STATE",application="APP"} 1`,
		"polly":        `resilience_polly_strategy_events_total{pipeline_name="p",event_name="OnCircuitOpened",application="APP"} 1`,
		"opossum":      `circuit{name="p",event="open",application="APP"} 1`,
		"sentinel":     `sentinel_go_circuit_breaker_state_changed_total{resource="p",from_state="Closed",to_state="Open",application="APP"} 1`,
		"prometheus":   `breaker{name="p",state="STATE",application="APP"} 1`,
	} {
		line = strings.Replace(line, "STATE", "open", 1)
		page := strings.Replace(line, "APP", "a", 1) + "\n" + strings.Replace(line, "APP", "b", 1) + "\n"
		s := serve(t, map[string]string{"/p": page})
		settings := "url: " + s.URL + "/p\n"
		if kind == "prometheus" {
			settings += "metric: breaker\nstate_label: state\n"
		} else {
			settings += "name: p\n"
		}
		blind(t, build(t, kind, settings), results.CauseTool, "more than one breaker is selected", `{application="a"`, `{application="b"`, "choose by labels")
		if got := read(t, build(t, kind, settings+"labels: {application: b}")); got.State != reader.Open {
			t.Errorf("%s: got %+v, want open", kind, got)
		}
	}
}

// Headers reach the source, and nobody else.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "open sesame" || r.Host != "breakers.example" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`[{"name":"payments","state":"half-open"}]`))
	}))
	t.Cleanup(s.Close)
	settings := "url: " + s.URL + "\nname: payments\nheaders: {X-Api-Key: open sesame, Host: %s}"
	if got := read(t, build(t, "gobreaker", fmt.Sprintf(settings, "breakers.example"))); got.State != reader.HalfOpen {
		t.Errorf("got %+v, want half-open", got)
	}
	r := build(t, "gobreaker", fmt.Sprintf(settings, "other.example"))
	if _, err := r.Read(t.Context()); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("got %v, want an error without the key", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`[{"name":"payments","state":"open"}]`))
	}))
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := "url: " + s.URL + "\nname: payments\n"
	blind(t, build(t, "gobreaker", settings), results.CauseTool, "certificate")
	for _, trust := range []string{"ca: " + ca, "insecure: true"} {
		if got := read(t, build(t, "gobreaker", settings+trust)); got.State != reader.Open {
			t.Errorf("%s: got %+v, want open", trust, got)
		}
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	const url = "url: http://127.0.0.1:8080/\n"
	for _, c := range []struct{ kind, settings, want string }{
		{"dapr", "name: p", `dapr:1:1: url: got "", want http://HOST/PATH or https://HOST/PATH`},
		{"dapr", "url: ftp://u:secret@h/\nname: p", `dapr:1:6: url: got "ftp://u:xxxxx@h/", want http://HOST/PATH or https://HOST/PATH`},
		{"dapr", url, `dapr:1:1: name: got no name, want that of the resiliency resource`},
		{"dapr", url + "name: p\ntimeout: 0s", `dapr:3:10: timeout: got 0s, want more than 0s`},
		{"dapr", url + "name: p\nnam: q", `dapr:3:1: unknown key "nam"; did you mean "name"? Known: url, headers, timeout, ca, insecure, name, labels`},
		{"dapr", url + "name: p\nheaders: {A B: secret}", `dapr:3:16: headers.A B: got a name or a value that HTTP does not allow, want a name without spaces and a value of one line`},
		{"dapr", url + "name: p\nca: rig_test.go", `dapr:3:5: ca: got rig_test.go, want a file with certificates in PEM`},
		{"hystrix", url, `hystrix:1:1: name: got no name, want that of the command`},
		{"polly", url, `polly:1:1: name: got no name, want that of the pipeline`},
		{"envoy", url + "name: p\nwatch: limit", `envoy:3:8: watch: unknown word "limit"; did you mean "limits"? Known: ejections, limits`},
		{"envoy", url + "name: p\nwatch: limits\nhost: \"a:1\"", `envoy:4:7: host: got a host beside watch: limits, which are the cluster's`},
		{"envoy", "url: http://h/stats/prometheus\nname: p\nhost: \"a:1\"", `envoy:3:7: host: got a host beside a url of metrics, which know only clusters; want the address of Envoy's admin, such as http://127.0.0.1:9901`},
		{"prometheus", url, `prometheus:1:1: metric: got no name, want that of the gauge`},
		{"prometheus", url + "metric: m", `prometheus:1:1: values: got no meaning of the numbers, want such as {0: closed, 1: open}, or state_label for a gauge with one series a state`},
		{"prometheus", url + "metric: m\nvalues: {x: open}", `prometheus:3:13: values.x: got "x", want a number`},
		{"prometheus", url + "metric: m\nvalues: {1: opened}", `prometheus:3:13: values.1: unknown state "opened"; did you mean "open"? Known: unknown, closed, open, half-open, forced-open, disabled, metrics-only`},
		{"prometheus", url + "metric: m\nstate_label: s\nstates: {up: shut}", `prometheus:4:14: states.up: unknown state "shut"; known: unknown, closed, open, half-open, forced-open, disabled, metrics-only`},
		{"prometheus", url + "metric: m\nvalues: {1: open}\nstate_label: s", `prometheus:3:10: values: got state_label or states beside it, want one of the two forms`},
	} {
		_, err := reader.Kinds().BuildText(c.kind, c.settings)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %q:\n got %v\nwant %s", c.kind, c.settings, err, c.want)
		}
	}
}
