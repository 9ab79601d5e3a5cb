package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

var hystrixKind = kind.Of("hystrix", "a Hystrix command, from a stream of Hystrix, hystrix-go or opossum", `
url: http://127.0.0.1:8080/hystrix.stream
name: payments
`, hystrix{web: web{Timeout: 3 * time.Second}}, func(h hystrix) (Reader, error) {
	if err := h.prepare(); err != nil {
		return nil, err
	}
	return &h, named(h.Name, "command")
})

type hystrix struct {
	web
	Name  string `yaml:"name"` // of the command
	Group string `yaml:"group"`

	feed *stream
	seen string // the group of the command, once it is known
}

// A hystrixEvent is what a stream says of a command, twice a second or once.
type hystrixEvent struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Group        string          `json:"group"`
	IsOpen       json.RawMessage `json:"isCircuitBreakerOpen"`
	Requests     float64         `json:"requestCount"`
	Errors       float64         `json:"errorCount"`
	ShortCircuit float64         `json:"rollingCountShortCircuited"`
	Enabled      *bool           `json:"propertyValue_circuitBreakerEnabled"`
	ForceOpen    bool            `json:"propertyValue_circuitBreakerForceOpen"`
	ForceClosed  bool            `json:"propertyValue_circuitBreakerForceClosed"`
}

// Read implements [Reader]. It waits for the next event of the command, or takes the
// newest one that no Read has returned.
func (h *hystrix) Read(ctx context.Context) (Sample, error) {
	limited, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	if h.feed == nil {
		s, err := h.streamAt(limited, h.base, h.event)
		if err != nil {
			return Sample{}, err
		}
		h.feed = s
	}
	sample, ok, err := h.feed.next(limited)
	if ok {
		return sample, nil
	}
	names := h.feed.names()
	h.hangUp() // a stream that is silent may be a connection that is dead
	switch {
	case err != nil:
		return Sample{}, blind(h.base, err)
	case ctx.Err() != nil:
		return Sample{}, blind(h.base, ctx.Err())
	}
	return Sample{Note: fmt.Sprintf("the stream told nothing of %q in %v, as before a command's first call; commands: %s", h.Name, h.Timeout, those(h.Name, names))}, nil
}

// Close implements [Reader].
func (h *hystrix) Close() error {
	h.hangUp()
	return h.web.Close()
}

func (h *hystrix) hangUp() {
	if h.feed != nil {
		h.feed.end()
		h.feed = nil
	}
}

// event reads one event of the stream.
func (h *hystrix) event(data []byte) (string, *Sample, error) {
	var e hystrixEvent
	if err := json.Unmarshal(data, &e); err != nil {
		return "", nil, fmt.Errorf("want events of Hystrix: %w", err)
	}
	if e.Type != "HystrixCommand" {
		return "", nil, nil
	}
	if e.Name != h.Name || h.Group != "" && e.Group != h.Group {
		return e.Name, nil, nil
	}
	if h.seen != "" && h.seen != e.Group {
		return "", nil, ambiguous(h.Name, []string{h.seen, e.Group}, "choose by group")
	}
	h.seen = e.Group
	sample := e.sample()
	return e.Name, &sample, nil
}

func (e *hystrixEvent) sample() Sample {
	sample := Sample{
		Raw:        fmt.Sprintf("isCircuitBreakerOpen=%s", brief(string(e.IsOpen))),
		NoHalfOpen: true, // it is open then, too
		Counters:   map[string]float64{"calls": e.Requests, "failures": e.Errors, "not_permitted": e.ShortCircuit},
	}
	switch {
	case e.ForceOpen:
		sample.State, sample.Raw = ForcedOpen, sample.Raw+" circuitBreakerForceOpen=true"
	case e.ForceClosed:
		sample.State, sample.Raw = MetricsOnly, sample.Raw+" circuitBreakerForceClosed=true"
	case e.Enabled != nil && !*e.Enabled:
		sample.State, sample.Raw = Disabled, sample.Raw+" circuitBreakerEnabled=false"
	case string(e.IsOpen) == "true":
		sample.State = Open
	case string(e.IsOpen) == "false":
		sample.State = Closed
	default:
		sample.Note = "want true or false: is it the stream of many hosts together?"
	}
	return sample
}
