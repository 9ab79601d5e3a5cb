package reader_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker"
	"github.com/foreshock/foreshock/breaker/reader"
)

// Every word of each source becomes the right state, and what is no state is unknown.
func TestWords(t *testing.T) {
	t.Parallel()
	micrometer := func(word string) string {
		return "resilience4j_circuitbreaker_state{name=\"p\",state=\"" + word + "\"} 1.0\n"
	}
	actuator := func(word string) string { return `{"circuitBreakers":{"p":{"state":"` + word + `"}}}` }
	opossum := func(state string) string { return `[{"state":{"name":"q"}},{"state":{"name":"p",` + state + `}}]` }
	hystrix := func(fields string) string {
		return "data: {\"type\":\"HystrixCommand\",\"name\":\"p\"," + fields + "}\n\n"
	}
	for _, c := range []struct {
		kind, path, body string
		want             reader.State
		note             string
	}{
		{"resilience4j", "/p", micrometer("closed"), reader.Closed, ""},
		{"resilience4j", "/p", micrometer("open"), reader.Open, ""},
		{"resilience4j", "/p", micrometer("half_open"), reader.HalfOpen, ""},
		{"resilience4j", "/p", micrometer("forced_open"), reader.ForcedOpen, ""},
		{"resilience4j", "/p", micrometer("disabled"), reader.Disabled, ""},
		{"resilience4j", "/p", micrometer("metrics_only"), reader.MetricsOnly, ""},
		{"resilience4j", "/p", micrometer("ajar"), reader.Unknown, `state "ajar" has no known meaning`},
		{"resilience4j", "/p", micrometer("open") + micrometer("closed"), reader.Unknown, "several are at 1 at once: state closed, open"},
		{"resilience4j", "/p", strings.ReplaceAll(micrometer("open"), "1.0", "0.0"), reader.Unknown, "no state is at 1"},
		{"resilience4j", "/p", strings.ReplaceAll(micrometer("open"), "1.0", "NaN"), reader.Unknown, "no state is at 1"},
		{"resilience4j", "/p/circuitbreakers", actuator("CLOSED"), reader.Closed, "transitions between two reads are not seen"},
		{"resilience4j", "/p/circuitbreakers", actuator("HALF_OPEN"), reader.HalfOpen, "404 Not Found"},
		{"resilience4j", "/p/circuitbreakers", actuator("METRICS_ONLY"), reader.MetricsOnly, "404 Not Found"},
		{"resilience4j", "/p/circuitbreakers", actuator("FORCED_OPEN"), reader.ForcedOpen, "404 Not Found"},
		{"resilience4j", "/p/circuitbreakers", actuator(""), reader.Unknown, `state "" has no known meaning`},
		{"hystrix", "/p.sse", hystrix(`"isCircuitBreakerOpen":true`), reader.Open, ""},
		{"hystrix", "/p.sse", hystrix(`"isCircuitBreakerOpen":false`), reader.Closed, ""},
		{"hystrix", "/p.sse", hystrix(`"isCircuitBreakerOpen":{"true":1,"false":2}`), reader.Unknown, "the stream of many hosts"},
		{"hystrix", "/p.sse", hystrix(`"x":1`), reader.Unknown, "want true or false"},
		{"hystrix", "/p.sse", hystrix(`"isCircuitBreakerOpen":false,"propertyValue_circuitBreakerForceOpen":true`), reader.ForcedOpen, ""},
		{"hystrix", "/p.sse", hystrix(`"isCircuitBreakerOpen":true,"propertyValue_circuitBreakerForceClosed":true`), reader.MetricsOnly, ""},
		{"hystrix", "/p.sse", hystrix(`"isCircuitBreakerOpen":false,"propertyValue_circuitBreakerEnabled":false`), reader.Disabled, ""},
		{"hystrix", "/p.sse", strings.Replace(hystrix(`"isCircuitBreakerOpen":true`), `,"name"`, ",\ndata: \"name\"", 1), reader.Open, ""},
		{"hystrix", "/p.sse", "ping: \n\n", reader.Unknown, `told nothing of "p" in 200ms`},
		{"hystrix", "/p.sse", strings.Replace(hystrix(`"isCircuitBreakerOpen":true`), `"p"`, `"pay"`, 1), reader.Unknown, "pay"},
		{"opossum", "/p", opossum(`"open":true`), reader.Open, ""},
		{"opossum", "/p", opossum(`"closed":true`), reader.Closed, ""},
		{"opossum", "/p", opossum(`"halfOpen":true`), reader.HalfOpen, ""},
		{"opossum", "/p", opossum(`"closed":true,"enabled":false`), reader.Disabled, ""},
		{"opossum", "/p", opossum(`"closed":false,"shutdown":true`), reader.ForcedOpen, ""},
		{"opossum", "/p", opossum(`"closed":true,"open":true`), reader.Unknown, "exactly one of the three"},
		{"opossum", "/p", opossum(`"enabled":true`), reader.Unknown, "exactly one of the three"},
		{"opossum", "/p", "circuit{name=\"q\",event=\"fire\"} 2\n", reader.Unknown, `no event of "p" is counted yet in circuit`},
		{"opossum", "/p", "", reader.Unknown, "none is there"},
		{"opossum", "/p", "circuit{name=\"p\",event=\"fire\"} 2\n", reader.Closed, ""},
		{"opossum", "/p", "circuit{name=\"p\",event=\"open\"} 2\n", reader.Open, ""},
		{"opossum", "/p", "circuit{name=\"p\",event=\"open\"} 2\ncircuit{name=\"p\",event=\"close\"} 1\n", reader.Unknown, "allow closed and open"},
		{"dapr", "/p", "dapr_resiliency_cb_state{name=\"p\",status=\"half-open\"} 1\n", reader.HalfOpen, ""},
		{"dapr", "/p", "dapr_resiliency_cb_state{name=\"p\",status=\"unknown\"} 1\n", reader.Unknown, "Dapr itself says unknown"},
		{"dapr", "/p", "dapr_resiliency_cb_state{name=\"q\",status=\"open\"} 1\n", reader.Unknown, `no dapr_resiliency_cb_state of "p" yet`},
		{"polly", "/p", "resilience_polly_strategy_events_total{event_name=\"PipelineExecuted\",pipeline_name=\"p\"} 9\n", reader.Unknown, "no transition"},
		{"polly", "/p", "resilience_polly_strategy_events{event_name=\"OnCircuitOpened\",pipeline_name=\"p\"} 1\n", reader.Open, ""},
		{"polly", "/p", "{\"resilience.polly.strategy.events_total\",\"event.name\"=\"OnCircuitOpened\",\"pipeline.name\"=\"p\"} 1\n", reader.Open, ""},
		{"sentinel", "/p", "sentinel_go_handled_total{resource=\"p\",result=\"pass\"} 5\n", reader.Unknown, "resources: known: p"},
		{"sentinel", "/p", "sentinel_go_circuit_breaker_state_changed_total{resource=\"p\",from_state=\"Closed\",to_state=\"Open\"} 2\n", reader.Unknown, "not those of one breaker"},
		{"sentinel", "/p", "sentinel_go_circuit_breaker_state_changed_total{resource=\"p\",from_state=\"Closed\",to_state=\"Ajar\"} 2\n", reader.Unknown, "has no known meaning"},
		{"envoy", "/p", "envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name=\"p\"} 0\n", reader.Closed, ""},
		{"envoy", "/p", "envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name=\"p\"} 1\nenvoy_cluster_membership_total{envoy_cluster_name=\"p\"} 3\n", reader.Unknown, "1 of 3 hosts are ejected"},
		{"envoy", "/p", `{"cluster_statuses":[{"name":"p","host_statuses":[{"address":{"socket_address":{"address":"::1","port_value":80}}}]}]}`, reader.Closed, ""},
		{"envoy", "/p", `{"cluster_statuses":[{"name":"p"}]}`, reader.Unknown, "no host"},
	} {
		t.Run(c.kind+" "+c.want.String()+" "+c.note, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string]string{c.path: c.body})
			at := strings.TrimSuffix(c.path, "/circuitbreakers")
			timeout := "3s"
			if strings.Contains(c.note, "p") && c.kind == "hystrix" {
				timeout = "200ms"
			}
			got := read(t, build(t, c.kind, "url: "+s.URL+at+"\nname: p\ntimeout: "+timeout))
			if got.State != c.want || !strings.Contains(got.Note, c.note) || (c.note == "") != (got.Note == "") {
				t.Errorf("got %v, note %q; want %v, %q", got.State, got.Note, c.want, c.note)
			}
		})
	}
}

// The actuator is found from its root, and gives transitions with their times.
func TestActuator(t *testing.T) {
	t.Parallel()
	events := "/actuator/circuitbreakerevents/inventory/STATE_TRANSITION"
	s := serve(t, map[string]string{
		"/actuator":                 `{"_links":{"self":{"href":"http://x/actuator"}}}`,
		"/actuator/circuitbreakers": fixture(t, "actuator_circuitbreakers.json"),
		events:                      fixture(t, "actuator_circuitbreakerevents.json"),
	})
	for _, url := range []string{s.URL + "/actuator", s.URL + "/actuator/", s.URL + "/actuator/circuitbreakers"} {
		r := build(t, "resilience4j", "url: "+url+"\nname: inventory")
		for range 2 { // the second knows where to ask
			got := read(t, r)
			if got.State != reader.Open || got.Raw != `state="OPEN"` || got.Note != "" || got.Counters["not_permitted"] != 133 || got.Counters["failure_rate"] != 100 {
				t.Errorf("%s: got %+v", url, got)
			}
			opened := time.Date(2022, 6, 14, 8, 45, 1, 2e6, time.UTC)
			if len(got.Events) != 3 || !got.Events[0].At.Equal(opened) ||
				got.Events[0].From != reader.Closed || got.Events[0].To != reader.Open ||
				got.Events[1].To != reader.HalfOpen || got.Events[2].From != reader.HalfOpen || got.Events[2].To != reader.Closed {
				t.Errorf("%s: got events %v", url, got.Events)
			}
		}
	}
	r := build(t, "resilience4j", "url: "+s.URL+"/actuator\nname: inventory")
	s.set(events, `{"circuitBreakerEvents":[{"circuitBreakerName":"inventory","type":"STATE_TRANSITION","creationTime":"2022-06-14T10:45Z[UTC]","stateTransition":"FORCED_OPEN_TO_HALF_OPEN"}]}`)
	got := read(t, r)
	if len(got.Events) != 1 || !got.Events[0].At.Equal(time.Date(2022, 6, 14, 10, 45, 0, 0, time.UTC)) || got.Events[0].From != reader.ForcedOpen || got.Events[0].To != reader.HalfOpen {
		t.Errorf("got events %v, want one of a whole minute", got.Events)
	}
	s.set(events, `{"circuitBreakerEvents":[{"circuitBreakerName":"inventory","type":"STATE_TRANSITION","creationTime":"yesterday"}]}`)
	if got := read(t, r); got.State != reader.Open || !strings.Contains(got.Note, `got time "yesterday"`) {
		t.Errorf("got %+v, want the state, and a note of the time", got)
	}
}

// An actuator that exposes metrics alone is read by them.
func TestActuatorWithMetricsAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"/actuator/prometheus": fixture(t, "resilience4j_micrometer_new.prom")})
	r := build(t, "resilience4j", "url: "+s.URL+"/actuator\nname: inventory")
	for range 2 {
		if got := read(t, r); got.State != reader.Open {
			t.Errorf("got %+v, want open", got)
		}
	}
	if last := s.asked[len(s.asked)-1]; len(s.asked) != 4 || last != "/actuator/prometheus" {
		t.Errorf("asked %v, want it found once", s.asked)
	}
}

// Our own breaker, as its handler serves it.
func TestGobreaker(t *testing.T) {
	t.Parallel()
	b, err := breaker.New(breaker.Settings{Name: "payments", Failures: 2, OpenFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	other, err := breaker.New(breaker.Settings{Name: "catalog"})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(breaker.Handler(other, b))
	t.Cleanup(s.Close)
	r := build(t, "gobreaker", "url: "+s.URL+"\nname: payments")
	if got := read(t, r); got.State != reader.Closed || len(got.Events) != 0 {
		t.Errorf("got %+v, want closed", got)
	}
	before := time.Now()
	for range 3 {
		_ = b.Do(t.Context(), fails)
	}
	got := read(t, r)
	if got.State != reader.Open || got.Note != "" || got.Counters["not_permitted"] != 1 || got.Counters["failures"] != 2 {
		t.Errorf("got %+v, want open, 2 failures and 1 not permitted", got)
	}
	if len(got.Events) != 1 || got.Events[0].To != reader.Open || got.Events[0].From != reader.Closed ||
		got.Events[0].At.Before(before.Add(-time.Second)) || got.Events[0].At.After(time.Now().Add(time.Second)) {
		t.Errorf("got events %v, want one, closed to open, now", got.Events)
	}
}

func TestGobreakerOpenTimeIsOver(t *testing.T) {
	t.Parallel()
	snapshot, err := json.Marshal([]breaker.Snapshot{{Name: "p", State: breaker.Open, Until: time.Now().Add(-time.Minute)}})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, map[string]string{"/p": string(snapshot)})
	if got := read(t, build(t, "gobreaker", "url: "+s.URL+"/p\nname: p")); got.State != reader.Open || !strings.Contains(got.Note, "the next call is its probe") {
		t.Errorf("got %+v, want open, and that its time is over", got)
	}
}
