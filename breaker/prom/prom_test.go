package prom_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/foreshock/foreshock/breaker"
	"github.com/foreshock/foreshock/breaker/prom"
)

func TestCollector(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		group, err := breaker.NewGroup(breaker.Settings{Failures: 2, FailureRate: 0.5, SlowCall: time.Second, OpenFor: 2 * time.Second}, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := prom.NewCollector(breaker.Sources{group})
		if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) != 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
		for range 3 {
			_ = group.Do(t.Context(), "payments", func(context.Context) error { return errors.New("down") })
		}
		_ = group.Do(t.Context(), "catalog", func(context.Context) error { time.Sleep(1500 * time.Millisecond); return nil })
		const want = `
# HELP breaker_calls_total Calls that were made and have ended.
# TYPE breaker_calls_total counter
breaker_calls_total{breaker="catalog",outcome="abandoned"} 0
breaker_calls_total{breaker="catalog",outcome="failure"} 0
breaker_calls_total{breaker="catalog",outcome="success"} 1
breaker_calls_total{breaker="payments",outcome="abandoned"} 0
breaker_calls_total{breaker="payments",outcome="failure"} 2
breaker_calls_total{breaker="payments",outcome="success"} 0
# HELP breaker_open_until_timestamp_seconds Until when the breaker lets nothing through; absent unless open.
# TYPE breaker_open_until_timestamp_seconds gauge
breaker_open_until_timestamp_seconds{breaker="payments"} 9.46684802e+08
# HELP breaker_rejected_total Calls that were not made: the breaker was open or probing, or full of calls.
# TYPE breaker_rejected_total counter
breaker_rejected_total{breaker="catalog",reason="full"} 0
breaker_rejected_total{breaker="catalog",reason="open"} 0
breaker_rejected_total{breaker="payments",reason="full"} 0
breaker_rejected_total{breaker="payments",reason="open"} 1
# HELP breaker_state 1 for the state the breaker is in, 0 for the others.
# TYPE breaker_state gauge
breaker_state{breaker="catalog",state="closed"} 1
breaker_state{breaker="catalog",state="half-open"} 0
breaker_state{breaker="catalog",state="open"} 0
breaker_state{breaker="payments",state="closed"} 0
breaker_state{breaker="payments",state="half-open"} 0
breaker_state{breaker="payments",state="open"} 1
# HELP breaker_transitions_total Changes of state.
# TYPE breaker_transitions_total counter
breaker_transitions_total{breaker="catalog",from="closed",to="open"} 0
breaker_transitions_total{breaker="catalog",from="half-open",to="closed"} 0
breaker_transitions_total{breaker="catalog",from="half-open",to="open"} 0
breaker_transitions_total{breaker="catalog",from="open",to="half-open"} 0
breaker_transitions_total{breaker="payments",from="closed",to="open"} 1
breaker_transitions_total{breaker="payments",from="half-open",to="closed"} 0
breaker_transitions_total{breaker="payments",from="half-open",to="open"} 0
breaker_transitions_total{breaker="payments",from="open",to="half-open"} 0
# HELP breaker_window_calls Calls that count in the rates now, where a rule needs one.
# TYPE breaker_window_calls gauge
breaker_window_calls{breaker="catalog",outcome="failure"} 0
breaker_window_calls{breaker="catalog",outcome="success"} 1
breaker_window_calls{breaker="payments",outcome="failure"} 0
breaker_window_calls{breaker="payments",outcome="success"} 0
# HELP breaker_window_slow_calls Of the calls that count in the rates now, those that were slow.
# TYPE breaker_window_slow_calls gauge
breaker_window_slow_calls{breaker="catalog"} 1
breaker_window_slow_calls{breaker="payments"} 0
`
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), "breaker_calls_total", "breaker_open_until_timestamp_seconds",
			"breaker_rejected_total", "breaker_state", "breaker_transitions_total", "breaker_window_calls", "breaker_window_slow_calls"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), "breaker_transitions_total"); err != nil {
			t.Errorf("looking has moved a breaker: %v", err)
		}
	})
}

func Example() {
	group, _ := breaker.NewGroup(breaker.Settings{FailureRate: 0.5}, 0)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prom.NewCollector(group))
	_ = group.Do(context.Background(), "payments", func(context.Context) error { return nil })
	families, _ := registry.Gather()
	for _, f := range families {
		fmt.Println(f.GetName())
	}
	// Output:
	// breaker_calls_total
	// breaker_in_flight
	// breaker_open_for_seconds
	// breaker_rejected_total
	// breaker_slow_calls_total
	// breaker_state
	// breaker_state_since_timestamp_seconds
	// breaker_transitions_total
	// breaker_window_calls
	// breaker_window_slow_calls
}
