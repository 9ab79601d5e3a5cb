package export

import (
	"context"
	"maps"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// scrapeLimit is how long one scrape may take.
const scrapeLimit = 10 * time.Second

func prometheusKind(prom *Prometheus) kind.Kind[results.Sink] {
	return kind.Of("prometheus", "metrics for Prometheus to scrape at /metrics", "{}", struct{}{},
		func(struct{}) (results.Sink, error) { return prom, nil })
}

// PrometheusOptions says what the exporter cannot see in the results themselves.
type PrometheusOptions struct {
	Version string                   // of Foreshock, for foreshock_build_info
	Dropped func() map[string]uint64 // records given up, by sink; asked at each scrape; nil is none
}

// Prometheus is a [results.Sink] that keeps counters, histograms and newest states
// in memory for Prometheus to scrape. It may be used from several goroutines.
type Prometheus struct {
	registry *prometheus.Registry
	lateness prometheus.Histogram
	dropped  func() map[string]uint64

	mu        sync.Mutex
	checks    map[checkKey]*checkSeries
	scenarios map[string]*scenarioSeries
	faults    map[faultKey]string // active ones, to their scenario
	faulty    map[string]bool     // scenarios that ever had a fault here
}

type checkKey struct{ check, location string }

type faultKey struct {
	subject, run, location string
	start                  int64
}

// NewPrometheus returns an exporter with a registry of its own.
func NewPrometheus(o PrometheusOptions) *Prometheus {
	p := &Prometheus{
		registry: prometheus.NewRegistry(),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "foreshock_schedule_lateness_seconds",
			Help:    "How long after its planned time a run started.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 30},
		}),
		dropped:   o.Dropped,
		checks:    map[checkKey]*checkSeries{},
		scenarios: map[string]*scenarioSeries{},
		faults:    map[faultKey]string{},
		faulty:    map[string]bool{},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "foreshock_build_info",
		Help:        "1, with the version of Foreshock and of Go as labels.",
		ConstLabels: prometheus.Labels{"version": clean(o.Version), "goversion": runtime.Version()},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{
		p, p.lateness, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		// A fresh registry refuses only a programmer's clash of names.
		if err := p.registry.Register(c); err != nil {
			panic(err)
		}
	}
	return p
}

// Handler serves the metrics in the formats that Prometheus asks for.
func (p *Prometheus) Handler() http.Handler {
	return promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{
		ErrorHandling:     promhttp.ContinueOnError,
		Timeout:           scrapeLimit,
		EnableOpenMetrics: true,
	})
}

// ObserveLateness records how long after its slot a run started.
func (p *Prometheus) ObserveLateness(late time.Duration) { p.lateness.Observe(max(late, 0).Seconds()) }

// Send counts the batch. It never fails.
func (p *Prometheus) Send(_ context.Context, batch []results.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rec := range batch {
		if rec.Result != nil {
			p.result(rec.Result)
		}
		if rec.Event != nil && rec.Event.Kind == results.EventFault {
			p.fault(rec.Event)
		}
	}
	return nil
}

// Close does nothing: there is nothing to flush.
func (p *Prometheus) Close() error { return nil }

func (p *Prometheus) result(r *results.Result) {
	c, late := p.of(r)
	c.count(r)
	if !late {
		p.newest(c, r)
	}
}

// of returns the series of the result's check, and whether there is a newer result.
func (p *Prometheus) of(r *results.Result) (c *checkSeries, late bool) {
	key := checkKey{r.Check, r.Location}
	c, ok := p.checks[key]
	if !ok || !r.Slot.Before(c.slot) && (c.kind != r.Kind || !maps.Equal(c.own, r.Labels)) {
		c = newCheckSeries(r)
		p.checks[key] = c
	}
	return c, r.Slot.Before(c.slot)
}

// newest moves the gauges to r.
func (p *Prometheus) newest(c *checkSeries, r *results.Result) {
	c.newest(r)
	if r.Kind == "scenario" {
		name := scenarioName(r)
		if p.scenarios[name] == nil {
			p.scenarios[name] = &scenarioSeries{}
		}
		p.scenarios[name].newest(r)
	}
}

func (p *Prometheus) fault(e *results.Event) {
	key := faultKey{e.Subject, e.Run, e.Location, e.Start.UnixNano()}
	scenario := e.Labels["scenario"]
	p.faulty[scenario] = true
	if e.End.IsZero() {
		p.faults[key] = scenario
		return
	}
	delete(p.faults, key)
}

// Describe sends nothing: label names differ from check to check, which only an
// unchecked collector may do.
func (p *Prometheus) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (p *Prometheus) Collect(ch chan<- prometheus.Metric) {
	out := p.snapshot()
	if p.dropped != nil {
		for sink, n := range p.dropped() {
			out.counter(dropped(), n, clean(sink))
		}
	}
	for _, m := range out {
		ch <- m
	}
}

// snapshot holds the lock; sending, which waits for the scraper, does not.
func (p *Prometheus) snapshot() series {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out series
	for _, c := range p.checks {
		c.collect(&out)
	}
	for name, s := range p.scenarios {
		s.collect(&out, clean(name))
	}
	active := map[string]bool{}
	for _, scenario := range p.faults {
		active[scenario] = true
	}
	for scenario := range p.faulty {
		out.gauge(faultActive(), oneIf(active[scenario]), clean(scenario))
	}
	return out
}

func dropped() *prometheus.Desc {
	return prometheus.NewDesc("foreshock_sink_dropped_total", "Records that a sink gave up.", []string{"sink"}, nil)
}

func faultActive() *prometheus.Desc {
	return prometheus.NewDesc("foreshock_fault_active", "1 while a planned fault acts, else 0.", []string{"scenario"}, nil)
}

// series collects the metrics of one scrape.
type series []prometheus.Metric

func (s *series) gauge(d *prometheus.Desc, v float64, labels ...string) {
	*s = append(*s, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
}

func (s *series) counter(d *prometheus.Desc, n uint64, labels ...string) {
	*s = append(*s, prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...))
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
