package reader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the actuator says at circuitbreakers, and at circuitbreakerevents below it.
type (
	actuatorBreakers struct {
		Breakers map[string]actuatorBreaker `json:"circuitBreakers"`
	}
	actuatorBreaker struct {
		State        string  `json:"state"`
		Buffered     float64 `json:"bufferedCalls"`
		Failed       float64 `json:"failedCalls"`
		Slow         float64 `json:"slowCalls"`
		NotPermitted float64 `json:"notPermittedCalls"`
		FailureRate  string  `json:"failureRate"` // such as 100.0%; -1.0% before there were enough calls
	}
	actuatorEvents struct {
		Events []actuatorEvent `json:"circuitBreakerEvents"`
	}
	actuatorEvent struct {
		Name       string `json:"circuitBreakerName"`
		Type       string `json:"type"`
		Time       string `json:"creationTime"`
		Transition string `json:"stateTransition"` // such as CLOSED_TO_OPEN
	}
)

// actuator reads what the page of breakers says, and asks for the transitions.
func (r *resilience4j) actuator(ctx context.Context, body []byte) (Sample, error) {
	sample, err := parseActuator(body, r.Name)
	if err != nil {
		return Sample{}, blind(r.base, err)
	}
	root := r.base.JoinPath()
	root.Path = strings.TrimSuffix(strings.TrimSuffix(root.Path, "/"), "/circuitbreakers")
	root.RawPath = ""
	at := web{base: root}
	body, err = r.get(ctx, at.below("circuitbreakerevents", r.Name, "STATE_TRANSITION"))
	if err == nil {
		sample.Events, err = parseEvents(body, r.Name)
	}
	switch {
	case ctx.Err() != nil:
		return Sample{}, err
	case err != nil:
		sample.Note = join(sample.Note, fmt.Sprintf("transitions between two reads are not seen: %v", err))
	}
	return sample, nil
}

// parseActuator reads the page of breakers.
func parseActuator(body []byte, name string) (Sample, error) {
	var page actuatorBreakers
	if err := json.Unmarshal(body, &page); err != nil {
		return Sample{}, fmt.Errorf("want the actuator's JSON: %w", err)
	}
	if page.Breakers == nil {
		return Sample{}, errors.New("got JSON without circuitBreakers, want that of /actuator/circuitbreakers")
	}
	b, ok := page.Breakers[name]
	if !ok {
		return Sample{}, noSuch("circuit breaker", name, slices.Collect(maps.Keys(page.Breakers)))
	}
	sample := Sample{
		Raw: fmt.Sprintf("state=%q", b.State),
		Counters: map[string]float64{
			"calls": b.Buffered, "failures": b.Failed, "slow": b.Slow, "not_permitted": b.NotPermitted,
		},
	}
	if rate, err := strconv.ParseFloat(strings.TrimSuffix(b.FailureRate, "%"), 64); err == nil {
		sample.Counters["failure_rate"] = rate
	}
	known := false
	if sample.State, known = stateOf(b.State); !known {
		sample.Note = fmt.Sprintf("state %q has no known meaning", b.State)
	}
	return sample, nil
}

// parseEvents reads the transitions of one breaker, the oldest first.
func parseEvents(body []byte, name string) ([]Event, error) {
	var page actuatorEvents
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("want the actuator's JSON: %w", err)
	}
	if page.Events == nil {
		return nil, errors.New("got JSON without circuitBreakerEvents")
	}
	var events []Event
	for _, e := range page.Events {
		if e.Name != name || e.Type != "STATE_TRANSITION" {
			continue
		}
		at, err := javaTime(e.Time)
		if err != nil {
			return nil, err
		}
		from, to, ok := strings.Cut(e.Transition, "_TO_")
		if !ok {
			return nil, fmt.Errorf("got transition %q, want such as CLOSED_TO_OPEN", e.Transition)
		}
		event := Event{At: at}
		event.From, _ = stateOf(from)
		event.To, _ = stateOf(to)
		events = append(events, event)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events, nil
}

// javaTime reads what ZonedDateTime.toString writes: 2022-06-14T10:45:01.002+02:00[Europe/Stockholm],
// where seconds that are zero are left out.
func javaTime(text string) (time.Time, error) {
	plain, _, _ := strings.Cut(text, "[")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, plain); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("got time %q, want such as 2022-06-14T10:45:01.002+02:00[Europe/Stockholm]", text)
}

// join puts two notes together.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
