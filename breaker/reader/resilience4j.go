package reader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/foreshock/foreshock/internal/kind"
)

const resilience4jState = "resilience4j_circuitbreaker_state"

var resilience4jKind = kind.Of("resilience4j", "a resilience4j breaker, from Spring Boot's actuator or its Prometheus metrics", `
url: http://127.0.0.1:8080/actuator
name: payments
headers: {Authorization: Bearer let-me-look}
`, resilience4j{web: defaults()}, func(r resilience4j) (Reader, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	return &r, named(r.Name, "circuit breaker")
})

type resilience4j struct {
	web
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"` // of the metrics, where several applications share a page

	found *url.URL // where the breakers were found
	sees  func(context.Context, []byte) (Sample, error)
}

// Read implements [Reader]. The first one that succeeds finds out what the url is: the
// root of the actuator, its page of breakers, or metrics.
func (r *resilience4j) Read(ctx context.Context) (Sample, error) {
	if r.found != nil {
		body, err := r.get(ctx, r.found)
		if err != nil {
			return Sample{}, err
		}
		return r.sees(ctx, body)
	}
	for _, u := range []*url.URL{r.base, r.below("circuitbreakers"), r.below("prometheus")} {
		body, err := r.get(ctx, u)
		switch {
		case err == nil && isRoot(body), isStatus(err, http.StatusNotFound):
			continue
		case err != nil:
			return Sample{}, err
		}
		sees := r.page
		if begins(body, '{') {
			sees = r.actuator
		}
		sample, err := sees(ctx, body)
		if err == nil {
			r.found, r.sees = u, sees
		}
		return sample, err
	}
	return Sample{}, blind(r.base, errors.New("got neither circuitbreakers nor prometheus here or below, want one of them exposed (management.endpoints.web.exposure.include)"))
}

// isRoot reports whether a body is the actuator's list of links.
func isRoot(body []byte) bool {
	var root struct {
		Links map[string]any `json:"_links"`
	}
	return begins(body, '{') && json.Unmarshal(body, &root) == nil && root.Links != nil
}

func begins(body []byte, c byte) bool {
	t := bytes.TrimSpace(body)
	return len(t) > 0 && t[0] == c
}

// page reads the metrics as Micrometer writes them.
func (r *resilience4j) page(_ context.Context, body []byte) (Sample, error) {
	p, err := parsePage(body)
	if err != nil {
		return Sample{}, blind(r.base, err)
	}
	mine := with(r.Labels, "name", r.Name)
	all := p.series(resilience4jState, mine)
	switch names := p.values(resilience4jState, "name"); {
	case len(names) == 0:
		err = noMetric(p, resilience4jState, "want resilience4j-micrometer bound to the registry of the metrics")
	case len(all) == 0:
		err = noSuch("circuit breaker", r.Name, names)
	default:
		err = one(r.Name, all, "state")
	}
	if err == nil && all[0].labels["state"] == "" {
		err = errors.New(resilience4jState + ": got no label state, want that of resilience4j 1.0 and later; the kind prometheus reads numbers")
	}
	if err != nil {
		return Sample{}, blind(r.base, err)
	}
	sample := hot(all, "state", stateOf)
	calls := p.counts("resilience4j_circuitbreaker_calls_seconds", mine)
	sample.count("failures", pick(calls, "kind", "failed"))
	sample.count("successes", pick(calls, "kind", "successful"))
	sample.count("not_permitted", p.series("resilience4j_circuitbreaker_not_permitted_calls_total", mine))
	sample.count("failure_rate", p.series("resilience4j_circuitbreaker_failure_rate", mine))
	return sample, nil
}
