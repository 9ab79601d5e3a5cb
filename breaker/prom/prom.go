// Package prom shows circuit breakers to Prometheus: what package breaker would do
// itself if it might import the client. It must never move a breaker by looking.
package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/foreshock/foreshock/breaker"
)

// A Collector is a prometheus.Collector of the breakers of a Source. Register it once.
type Collector struct {
	source breaker.Source
	descs  descs
}

type descs struct {
	state, transitions, calls, rejected, slow, inFlight, window, windowSlow, since, until, openFor *prometheus.Desc
}

// NewCollector makes a Collector of all breakers that the source has when it is asked,
// so that a group's later breakers show too. Two breakers of one name are an error of
// the scrape. For several sources use [breaker.Sources].
func NewCollector(source breaker.Source) *Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("breaker_"+name, help, append([]string{"breaker"}, labels...), nil)
	}
	return &Collector{source: source, descs: descs{
		state:       desc("state", "1 for the state the breaker is in, 0 for the others.", "state"),
		transitions: desc("transitions_total", "Changes of state.", "from", "to"),
		calls:       desc("calls_total", "Calls that were made and have ended.", "outcome"),
		rejected:    desc("rejected_total", "Calls that were not made: the breaker was open or probing, or full of calls.", "reason"),
		slow:        desc("slow_calls_total", "Calls that took longer than the limit to slow calls, failed or not."),
		inFlight:    desc("in_flight", "Calls under way."),
		window:      desc("window_calls", "Calls that count in the rates now, where a rule needs one.", "outcome"),
		windowSlow:  desc("window_slow_calls", "Of the calls that count in the rates now, those that were slow."),
		since:       desc("state_since_timestamp_seconds", "When the breaker entered its state."),
		until:       desc("open_until_timestamp_seconds", "Until when the breaker lets nothing through; absent unless open."),
		openFor:     desc("open_for_seconds", "The declared time that the breaker stays open at first."),
	}}
}

// Describe is part of prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	d := c.descs
	for _, desc := range []*prometheus.Desc{d.state, d.transitions, d.calls, d.rejected, d.slow, d.inFlight, d.window, d.windowSlow, d.since, d.until, d.openFor} {
		ch <- desc
	}
}

// Collect is part of prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.source.Snapshots() {
		c.descs.send(s, ch)
	}
}

func (d descs) send(s breaker.Snapshot, ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, append([]string{s.Name}, labels...)...)
	}
	counter := func(desc *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), append([]string{s.Name}, labels...)...)
	}
	for _, state := range []breaker.State{breaker.Closed, breaker.HalfOpen, breaker.Open} {
		is := 0.0
		if s.State == state {
			is = 1
		}
		gauge(d.state, is, state.String())
	}
	for _, m := range s.Moves {
		counter(d.transitions, m.Count, m.From.String(), m.To.String())
	}
	counter(d.calls, s.Successes, breaker.Success.String())
	counter(d.calls, s.Failures, breaker.Failure.String())
	counter(d.calls, s.Abandoned, breaker.Abandoned.String())
	counter(d.rejected, s.Rejected, "open")
	counter(d.rejected, s.Full, "full")
	counter(d.slow, s.Slow)
	gauge(d.inFlight, float64(s.InFlight))
	if w := s.Window; w != nil {
		gauge(d.window, float64(w.Calls-w.Failures), breaker.Success.String())
		gauge(d.window, float64(w.Failures), breaker.Failure.String())
		gauge(d.windowSlow, float64(w.Slow))
	}
	gauge(d.since, float64(s.Since.UnixMilli())/1000)
	if !s.Until.IsZero() {
		gauge(d.until, float64(s.Until.UnixMilli())/1000)
	}
	gauge(d.openFor, s.Settings.OpenForMS/1000)
}
