package reader_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/foreshock/foreshock/breaker/reader"
	"github.com/foreshock/foreshock/results"
)

// One stream serves many reads, each with what is new, and is opened again when it ends.
func TestStream(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	say := make(chan string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		opened.Add(1)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for {
			select {
			case <-r.Context().Done():
				return
			case text := <-say:
				if text == "" {
					return
				}
				fmt.Fprintf(w, "data:%s\n\n", text)
				w.(http.Flusher).Flush()
			}
		}
	}))
	t.Cleanup(s.Close)
	event := func(group string, open bool) string {
		return fmt.Sprintf(`{"type":"HystrixCommand","name":"p","group":%q,"isCircuitBreakerOpen":%v}`, group, open)
	}
	r := build(t, "hystrix", "url: "+s.URL+"\nname: p\ntimeout: 30s")
	for _, open := range []bool{false, true, true, false} {
		go func() { say <- event("g", open) }()
		want := reader.Closed
		if open {
			want = reader.Open
		}
		if got := read(t, r); got.State != want || !got.NoHalfOpen {
			t.Errorf("got %+v, want %v, and that half open has no word", got, want)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("got %d streams opened, want 1", n)
	}
	go func() { say <- "" }()
	blind(t, r, results.CauseTool, "the stream ended")
	go func() { say <- event("g", true) }()
	if got := read(t, r); got.State != reader.Open || opened.Load() != 2 {
		t.Errorf("got %+v by %d streams, want open by 2", got, opened.Load())
	}
	go func() { say <- event("other", false) }()
	blind(t, r, results.CauseTool, "more than one breaker is selected", "other", "choose by group")
}

// What the counters say of a breaker follows it through its states.
func TestCountersOverTime(t *testing.T) {
	t.Parallel()
	opossum := func(fire, reject, success, open, closed int) string {
		return fmt.Sprintf("circuit{name=\"p\",event=\"fire\"} %d\ncircuit{name=\"p\",event=\"reject\"} %d\ncircuit{name=\"p\",event=\"success\"} %d\ncircuit{name=\"p\",event=\"open\"} %d\ncircuit{name=\"p\",event=\"close\"} %d\n", fire, reject, success, open, closed)
	}
	polly := func(opened, half, closed int) string {
		const line = "resilience_polly_strategy_events_total{pipeline_name=\"p\",event_name=\"OnCircuit%s\",exception_type=\"%s\"} %d\n"
		return fmt.Sprintf(line, "Opened", "T", opened) + fmt.Sprintf(line, "HalfOpened", "", half) + fmt.Sprintf(line, "Closed", "", closed)
	}
	for kind, pages := range map[string][]struct {
		page string
		want reader.State
	}{
		"opossum": {
			{opossum(20, 3, 12, 2, 1), reader.Unknown}, // opened again, or closed again
			{opossum(20, 3, 12, 2, 1), reader.Unknown},
			{opossum(25, 3, 17, 2, 1), reader.Closed}, // calls succeed
			{opossum(30, 3, 17, 3, 1), reader.Open},
			{opossum(40, 13, 17, 3, 1), reader.Open},
			{opossum(41, 13, 17, 4, 1), reader.Open}, // a probe failed
			{opossum(42, 13, 18, 4, 2), reader.Closed},
			{opossum(60, 23, 20, 6, 3), reader.Unknown},
			{opossum(70, 33, 20, 6, 3), reader.Open}, // calls are rejected
			{opossum(1, 0, 1, 0, 0), reader.Closed},  // a new process
		},
		"polly": {
			{"other 1\n", reader.Unknown},
			{polly(1, 0, 0), reader.Open},
			{polly(1, 1, 0), reader.HalfOpen},
			{polly(2, 1, 0), reader.Open},
			{polly(2, 2, 1), reader.Closed},
			{polly(3, 2, 1), reader.Open},
			{"other 1\n", reader.Unknown}, // a new process
			{polly(1, 0, 0), reader.Open},
		},
	} {
		s := serve(t, map[string]string{})
		r := build(t, kind, "url: "+s.URL+"/p\nname: p")
		for i, p := range pages {
			s.set("/p", p.page)
			if got := read(t, r); got.State != p.want {
				t.Errorf("%s %d: got %v, %q, %q; want %v", kind, i, got.State, got.Raw, got.Note, p.want)
			}
		}
	}
}

// Envoy in panic says ejected, and sends requests all the same.
func TestEnvoyPanics(t *testing.T) {
	t.Parallel()
	page := fixture(t, "envoy.prom")
	s := serve(t, map[string]string{"/stats/prometheus": page})
	r := build(t, "envoy", "url: "+s.URL+"/stats/prometheus\nname: inventory")
	for _, note := range []string{"", ""} {
		if got := read(t, r); got.State != reader.Open || got.Note != note {
			t.Errorf("got %+v, want open without a note: panics of long ago say nothing", got)
		}
	}
	s.set("/stats/prometheus", strings.Replace(page, `"inventory"} 57`, `"inventory"} 60`, 1))
	if got := read(t, r); got.State != reader.Open || !strings.Contains(got.Note, "Envoy is in panic: 3 requests more") {
		t.Errorf("got %+v, want open, and a note of panic", got)
	}
}

// The address of Envoy's admin is enough.
func TestEnvoyAdmin(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"/clusters": fixture(t, "envoy_clusters.json"), "/stats/prometheus": fixture(t, "envoy.prom")})
	for _, url := range []string{s.URL, s.URL + "/", s.URL + "/clusters"} {
		if got := read(t, build(t, "envoy", "url: "+url+"\nname: fake_cluster")); got.State != reader.Open {
			t.Errorf("%s: got %+v, want open", url, got)
		}
	}
	for _, asked := range s.asked {
		if asked != "/clusters?format=json" {
			t.Errorf("asked %s, want the clusters as JSON", asked)
		}
	}
	if got := read(t, build(t, "envoy", "url: "+s.URL+"\nname: inventory\nwatch: limits")); got.State != reader.Open {
		t.Errorf("limits: got %+v, want open", got)
	}
	blind(t, build(t, "envoy", "url: "+s.URL+"\nname: fake_cluster\nhost: \"1.2.3.4:81\""), results.CauseTool, `unknown host "1.2.3.4:81"; did you mean "1.2.3.4:80"?`)
}

// A host of the mesh is found by its name, by name and port, and by the whole cluster.
func TestIstioNames(t *testing.T) {
	t.Parallel()
	line := "envoy_cluster_outlier_detection_ejections_active{cluster_name=\"%s\"} %d\n"
	s := serve(t, map[string]string{
		"/p": fmt.Sprintf(line, "outbound|80||a.svc", 0) + fmt.Sprintf(line, "outbound|80|v1|b.svc;", 0) +
			fmt.Sprintf(line, "outbound|81|v1|b.svc", 0) + fmt.Sprintf(line, "inbound|80||a.svc", 0),
	})
	for _, name := range []string{"a.svc", "a.svc:80", "outbound|80||a.svc", "b.svc:80", "outbound|80|v1|b.svc", "inbound|80||a.svc"} {
		if got := read(t, build(t, "istio", "url: "+s.URL+"/p\nname: \""+name+"\"")); got.State != reader.Closed {
			t.Errorf("%s: got %+v, want closed", name, got)
		}
	}
	blind(t, build(t, "istio", "url: "+s.URL+"/p\nname: b.svc"), results.CauseTool, "more than one breaker is selected", "outbound|81|v1|b.svc")
	blind(t, build(t, "istio", "url: "+s.URL+"/p\nname: c.svc"), results.CauseTool, "unknown cluster")
}
