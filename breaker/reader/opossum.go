package reader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/foreshock/foreshock/internal/kind"
)

var opossumKind = kind.Of("opossum", "an opossum breaker (Node), from opossum-prometheus, its Hystrix stream or its toJSON", `
url: http://127.0.0.1:8080/metrics
name: payments
`, opossum{hystrix: hystrix{web: defaults()}, Metric: "circuit"}, func(o opossum) (Reader, error) {
	if err := o.prepare(); err != nil {
		return nil, err
	}
	o.tracker = tracker{noHalfOpen: true} // opossum-prometheus leaves that event out
	return &o, named(o.Name, "breaker")
})

type opossum struct {
	hystrix
	Metric string            `yaml:"metric"` // with the prefix, where the exporter was given one
	Labels map[string]string `yaml:"labels"`

	streams bool // the url is known to be a stream
	tracker tracker
	last    map[string]float64 // the counts of the read before
}

// Read implements [Reader]. What the url serves shows by its answer.
func (o *opossum) Read(ctx context.Context) (Sample, error) {
	if o.streams {
		return o.hystrix.Read(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	resp, err := o.open(limited, o.base)
	if err != nil {
		return Sample{}, err
	}
	if mediaType(resp) == "text/event-stream" {
		_ = resp.Body.Close()
		o.streams = true
		return o.hystrix.Read(ctx)
	}
	body, err := o.body(resp)
	if err != nil {
		return Sample{}, err
	}
	var sample Sample
	if begins(body, '{') || begins(body, '[') {
		sample, err = parseOpossum(body, o.Name)
	} else {
		sample, err = o.page(body)
	}
	if err != nil {
		return Sample{}, blind(o.base, err)
	}
	return sample, nil
}

// page reads the counters of opossum-prometheus.
func (o *opossum) page(body []byte) (Sample, error) {
	p, err := parsePage(body)
	if err != nil {
		return Sample{}, err
	}
	all := p.series(o.Metric, with(o.Labels, "name", o.Name))
	if len(all) == 0 {
		o.tracker, o.last = tracker{noHalfOpen: true}, nil
		return Sample{NoHalfOpen: true, Note: fmt.Sprintf("no event of %q is counted yet in %s, as before a breaker's first call; breakers: %s",
			o.Name, o.Metric, those(o.Name, p.values(o.Metric, "name")))}, nil
	}
	if err := one(o.Name, all, "event"); err != nil {
		return Sample{}, err
	}
	counts := map[string]float64{}
	for _, s := range all {
		counts[s.labels["event"]] += s.value
	}
	o.tracker.see(moves{opened: natural(counts["open"]), closed: natural(counts["close"])})
	o.weigh(counts)
	o.last = counts
	sample := Sample{
		Raw:        fmt.Sprintf("open %v, close %v, reject %v", counts["open"], counts["close"], counts["reject"]),
		NoHalfOpen: true,
		Counters: map[string]float64{
			"calls": counts["fire"], "failures": counts["failure"] + counts["timeout"],
			"successes": counts["success"], "not_permitted": counts["reject"],
		},
	}
	sample.State, sample.Note = o.tracker.is()
	return sample, nil
}

// weigh tells open from closed by the calls since the read before, if no transition
// was counted meanwhile: an open breaker rejects, and one in which a call succeeds is
// closed by it.
func (o *opossum) weigh(counts map[string]float64) {
	rose := func(event string) bool { return o.last != nil && counts[event] > o.last[event] }
	switch {
	case rose("open") || rose("close"):
	case rose("reject") && !rose("success"):
		o.tracker.narrow(Open)
	case rose("success") && rose("fire") && !rose("reject"):
		o.tracker.narrow(Closed)
	}
}

// An opossumStatus is what toJSON of a breaker gives, which services serve themselves.
type opossumStatus struct {
	State *struct {
		Name     string `json:"name"`
		Enabled  *bool  `json:"enabled"`
		Closed   bool   `json:"closed"`
		Open     bool   `json:"open"`
		HalfOpen bool   `json:"halfOpen"`
		Shutdown bool   `json:"shutdown"`
	} `json:"state"`
	Status struct {
		Fires    float64 `json:"fires"`
		Failures float64 `json:"failures"`
		Timeouts float64 `json:"timeouts"`
		Rejects  float64 `json:"rejects"`
	} `json:"status"`
}

// parseOpossum reads the toJSON of one breaker, or of a list of them.
func parseOpossum(body []byte, name string) (Sample, error) {
	var all []opossumStatus
	if begins(body, '{') {
		all = make([]opossumStatus, 1)
		if err := json.Unmarshal(body, &all[0]); err != nil {
			return Sample{}, fmt.Errorf("want what toJSON of a breaker gives: %w", err)
		}
	} else if err := json.Unmarshal(body, &all); err != nil {
		return Sample{}, fmt.Errorf("want what toJSON of breakers gives: %w", err)
	}
	var names []string
	for _, s := range all {
		if s.State == nil {
			return Sample{}, errors.New("got JSON without state, want what toJSON of a breaker gives")
		}
		if s.State.Name == name {
			return s.sample(), nil
		}
		names = append(names, s.State.Name)
	}
	return Sample{}, noSuch("breaker", name, names)
}

func (s *opossumStatus) sample() Sample {
	sample := Sample{
		Raw: fmt.Sprintf("closed=%v open=%v halfOpen=%v", s.State.Closed, s.State.Open, s.State.HalfOpen),
		Counters: map[string]float64{
			"calls": s.Status.Fires, "failures": s.Status.Failures + s.Status.Timeouts, "not_permitted": s.Status.Rejects,
		},
	}
	switch at := *s.State; {
	case at.Shutdown:
		sample.State, sample.Raw = ForcedOpen, "shutdown=true"
	case at.Enabled != nil && !*at.Enabled:
		sample.State, sample.Raw = Disabled, "enabled=false"
	case at.HalfOpen && !at.Closed && !at.Open:
		sample.State = HalfOpen
	case at.Open && !at.Closed && !at.HalfOpen:
		sample.State = Open
	case at.Closed && !at.Open && !at.HalfOpen:
		sample.State = Closed
	default:
		sample.Note = "want exactly one of the three to be true"
	}
	return sample
}
