package reader_test

import (
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker/reader"
)

// Each source's own text, as it was captured or assembled from its code.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, kind, settings, file string
		state                      reader.State
		raw, note                  string
		counter                    string
		count                      float64
	}{
		{"micrometer", "resilience4j", "name: inventory", "resilience4j_micrometer_new.prom", reader.Open, `state="open"`, "", "not_permitted", 133},
		{"micrometer calls", "resilience4j", "name: inventory", "resilience4j_micrometer_new.prom", reader.Open, `state="open"`, "", "failures", 10},
		{"old micrometer", "resilience4j", "name: DMM", "resilience4j_micrometer_old_trailing_comma.prom", reader.HalfOpen, `state="half_open"`, "", "", 0},
		{"hystrix", "hystrix", "name: IdentityCookieAuthSwitchProfile\ngroup: IDENTITY", "hystrix_java.sse", reader.Closed, "isCircuitBreakerOpen=false", "", "calls", 0},
		{"hystrix-go", "hystrix", "name: inventory", "hystrix_go.sse", reader.Open, "isCircuitBreakerOpen=true", "", "not_permitted", 3},
		{"opossum-hystrix", "hystrix", "name: inventory", "opossum_hystrix.sse", reader.Closed, "isCircuitBreakerOpen=false", "", "failures", 5},
		{"opossum's stream", "opossum", "name: inventory", "opossum_hystrix.sse", reader.Closed, "isCircuitBreakerOpen=false", "", "calls", 9},
		{"opossum-prometheus", "opossum", "name: inventory", "opossum_prometheus.prom", reader.Closed, "open 1, close 1, reject 3", "", "not_permitted", 3},
		{"opossum's toJSON", "opossum", "name: inventory", "opossum_toJSON_open.json", reader.Open, "closed=false open=true halfOpen=false", "", "calls", 8},
		{"dapr", "dapr", "name: myresiliency\nlabels: {target: app_server}", "dapr.prom", reader.Open, `status="open"`, "", "open_activations", 1},
		{"polly cannot be told", "polly", "name: inventory-client", "polly.prom", reader.Unknown, "OnCircuitOpened 2, OnCircuitHalfOpened 2, OnCircuitClosed 1", "allow closed and half-open", "opened", 2},
		{"envoy's metrics", "envoy", "name: inventory", "envoy.prom", reader.Open, "ejections_active 1 of 1 hosts", "", "panics", 57},
		{"envoy's limits", "envoy", "name: inventory\nwatch: limits", "envoy.prom", reader.Open, "default_rq_open at 1", "", "not_permitted", 12},
		{"envoy's clusters", "envoy", "name: fake_cluster", "envoy_clusters.json", reader.Open, "failed_outlier_check of 1 of 1 hosts", "", "ejected", 1},
		{"envoy's host", "envoy", "name: fake_cluster\nhost: \"1.2.3.4:80\"", "clusters", reader.Open, "failed_outlier_check of 1 of 1 hosts", "", "ejected", 1},
		{"envoy's host by name", "envoy", "name: fake_cluster\nhost: \"foo.com:80\"", "clusters", reader.Open, "failed_outlier_check of 1 of 1 hosts", "", "ejected", 1},
		{"istio does not say of how many", "istio", "name: httpbin.target.svc.cluster.local", "istio.prom", reader.Unknown, "ejections_active 1", "of how many is not said", "", 0},
		{"sentinel", "sentinel", "name: inventory", "sentinel_golang.prom", reader.HalfOpen, "entered half-open once more than left", "", "not_permitted", 37},
		{"any one-hot gauge", "prometheus", "metric: dapr_resiliency_cb_state\nstate_label: status", "dapr.prom", reader.Open, `status="open"`, "", "", 0},
		{"any number", "prometheus", "metric: envoy_cluster_outlier_detection_ejections_active\nlabels: {envoy_cluster_name: inventory}\nvalues: {0: closed, 1: open}", "envoy.prom", reader.Open, "envoy_cluster_outlier_detection_ejections_active 1", "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := c.file
			if file == "clusters" { // as Envoy's admin serves it
				file = "envoy_clusters.json"
			}
			s := serve(t, map[string]string{"/" + c.file: fixture(t, file)})
			got := read(t, build(t, c.kind, "url: "+s.URL+"/"+c.file+"\n"+c.settings))
			if got.State != c.state || got.Raw != c.raw || !strings.Contains(got.Note, c.note) || (c.note == "") != (got.Note == "") {
				t.Errorf("got %v, raw %q, note %q; want %v, %q, %q", got.State, got.Raw, got.Note, c.state, c.raw, c.note)
			}
			if n, ok := got.Counters[c.counter]; c.counter != "" && (!ok || n != c.count) {
				t.Errorf("counter %s: got %v, %v, want %v", c.counter, n, ok, c.count)
			}
		})
	}
}
