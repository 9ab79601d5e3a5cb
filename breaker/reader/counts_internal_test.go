package reader

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// walk goes every way that a breaker can, and says where it may be after exactly these
// moves: what the tracker works out in one step, done step by step.
func walk(at State, left moves, hidden bool, end map[State]bool) {
	if left == (moves{}) {
		end[at] = true
	}
	if left.opened > 0 && (at != Open || hidden) {
		walk(Open, moves{left.opened - 1, left.halfOpened, left.closed}, hidden, end)
	}
	if left.halfOpened > 0 && at == Open {
		walk(HalfOpen, moves{left.opened, left.halfOpened - 1, left.closed}, hidden, end)
	}
	if left.closed > 0 && (at == HalfOpen || hidden && at == Open) {
		walk(Closed, moves{left.opened, left.halfOpened, left.closed - 1}, hidden, end)
	}
}

func TestTrackerAgreesWithEveryWalk(t *testing.T) {
	t.Parallel()
	const most = 5
	for _, hidden := range []bool{false, true} {
		tr := tracker{noHalfOpen: hidden}
		for o := range uint64(most) {
			for h := range uint64(most) {
				for c := range uint64(most) {
					if hidden && h > 0 {
						continue
					}
					for _, start := range tr.states() {
						ends := map[State]bool{}
						walk(start, moves{o, h, c}, hidden, ends)
						for _, end := range tr.states() {
							if got := tr.possible(start, end, moves{o, h, c}); got != ends[end] {
								t.Errorf("hidden %v, %v to %v by %v: got %v, want %v", hidden, start, end, moves{o, h, c}, got, ends[end])
							}
						}
					}
				}
			}
		}
	}
}

func TestTracker(t *testing.T) {
	t.Parallel()
	var tr tracker
	for i, c := range []struct {
		now  moves
		want State
	}{
		{moves{2, 2, 1}, Unknown}, // closed, or half open
		{moves{3, 2, 1}, Open},    // either way
		{moves{3, 2, 1}, Open},
		{moves{3, 3, 1}, HalfOpen},
		{moves{3, 3, 2}, Closed},
		{moves{5, 5, 4}, Closed}, // twice round between two reads
		{moves{6, 6, 4}, HalfOpen},
		{moves{7, 7, 4}, HalfOpen},
		{moves{1, 0, 0}, Open},    // a new process
		{moves{1, 5, 0}, Unknown}, // by hand
		{moves{2, 5, 0}, Open},
	} {
		tr.see(c.now)
		if got, why := tr.is(); got != c.want || (got == Unknown) != (why != "") {
			t.Errorf("%d: after %v got %v (%s), want %v", i, c.now, got, why, c.want)
		}
	}
}

// Who reads seldom gets the newest event, and none twice.
func TestStreamKeepsTheNewest(t *testing.T) {
	t.Parallel()
	const event = "data: {\"type\":\"HystrixCommand\",\"name\":\"p\",\"isCircuitBreakerOpen\":%v}\n\n"
	h := hystrix{Name: "p"}
	s := &stream{news: make(chan Sample, 1), done: make(chan struct{}), told: map[string]bool{}}
	body := fmt.Sprintf(event, false) + fmt.Sprintf(event, false) + fmt.Sprintf(event, true)
	s.follow(&http.Response{Body: io.NopCloser(strings.NewReader(body))}, h.event)
	if got, ok, err := s.next(t.Context()); !ok || err != nil || got.State != Open {
		t.Errorf("got %+v, %v, %v, want the last, open", got, ok, err)
	}
	if got, ok, err := s.next(t.Context()); ok || err == nil {
		t.Errorf("got %+v, want that the stream ended", got)
	}
}

// Whatever is read, nothing panics, and what is no state has a note.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`resilience4j_circuitbreaker_state{name="p",state="open"} 1` + "\n",
		`circuit{name="p",event="open"} NaN` + "\n" + `circuit{name="p",event="close"} -1` + "\n",
		`resilience_polly_strategy_events_total{pipeline_name="p",event_name="OnCircuitOpened"} 1e300` + "\n",
		`sentinel_go_circuit_breaker_state_changed_total{resource="p",from_state="Closed",to_state="Open"} NaN` + "\n",
		`envoy_cluster_outlier_detection_ejections_active{cluster_name="p"} 2` + "\n",
		`{"circuitBreakers":{"p":{"state":"OPEN","failureRate":"-1.0%"}}}`,
		`{"circuitBreakerEvents":[{"circuitBreakerName":"p","type":"STATE_TRANSITION","creationTime":"2022-06-14T10:45:01.002+02:00[Europe/Stockholm]","stateTransition":"CLOSED_TO_OPEN"}]}`,
		`{"cluster_statuses":[{"name":"p","host_statuses":[{"health_status":{"failed_outlier_check":true},"stats":[{"name":"rq_total","value":"5"}]}]}]}`,
		`[{"name":"p","state":"open","transitions":[{"at":"2026-01-01T00:00:00Z","from":"closed","to":"open"}]}]`,
		`[{"state":{"name":"p","open":true}}]`,
		"data: {\"type\":\"HystrixCommand\",\"name\":\"p\",\ndata: \"isCircuitBreakerOpen\":true}\n\nping: \n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { fuzzed(t, body) })
}

func fuzzed(t *testing.T, body []byte) {
	t.Helper()
	check := func(s Sample, err error) {
		if err == nil && s.State == Unknown && s.Note == "" {
			t.Errorf("got an unknown state without a note: %+v", s)
		}
	}
	check(parseActuator(body, "p"))
	check(parseOpossum(body, "p"))
	_, _ = parseEvents(body, "p")
	e := envoy{Name: "p", matches: func(c string) bool { return c == "p" }, panics: -1}
	check(e.clusters(body))
	check(e.page(body))
	e.Watch = "limits"
	check(e.page(body))
	o := opossum{hystrix: hystrix{Name: "p"}, Metric: "circuit", tracker: tracker{noHalfOpen: true}}
	check(o.page(body))
	h := hystrix{Name: "p"}
	_ = events(bytes.NewReader(body), func(data []byte) error {
		_, s, err := h.event(data)
		if s != nil {
			check(*s, err)
		}
		return err
	})
	if p, err := parsePage(body); err == nil {
		check(sentinelState(p.series(sentinelChanged, nil)), nil)
		check(hot(p.series(resilience4jState, nil), "state", stateOf), nil)
		_ = pollyEvents(p)
	}
}
