package export

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/foreshock/foreshock/results"
)

// checkSeries holds everything that is exported of one check at one location.
type checkSeries struct {
	kind   string
	own    map[string]string // the labels as their owner wrote them
	labels prometheus.Labels
	descs  checkDescs

	runs     [results.Unknown + 1]uint64
	missed   map[results.Cause]uint64
	duration prometheus.Histogram
	steps    map[string]prometheus.Histogram

	slot    time.Time // of the newest result
	status  results.Status
	lastRun time.Time // zero if it never ran
	values  []stepValue
}

type checkDescs struct{ runs, status, up, lastRun, missed *prometheus.Desc }

func newCheckSeries(r *results.Result) *checkSeries {
	labels := constLabels(r.Check, r.Kind, r.Location, r.Labels)
	desc := func(name, help string, variable ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, variable, labels)
	}
	return &checkSeries{
		kind: r.Kind, own: r.Labels, labels: labels, slot: r.Slot,
		descs: checkDescs{
			runs:    desc("foreshock_check_runs_total", "Runs of a check by what they came to.", "status"),
			status:  desc("foreshock_check_status", "1 for the newest status of a check, 0 for the others.", "status"),
			up:      desc("foreshock_check_up", "1 if the newest status is ok or warning, 0 if critical; absent while unknown."),
			lastRun: desc("foreshock_check_last_run_timestamp_seconds", "When the newest run started; a missed slot is no run."),
			missed:  desc("foreshock_check_missed_total", "Looks that told nothing of the service, by why the check could not look.", "cause"),
		},
		missed: map[results.Cause]uint64{results.CauseMissed: 0},
		duration: prometheus.NewHistogram(seconds(
			"foreshock_check_duration_seconds", "How long runs took that could look.", labels)),
		steps: map[string]prometheus.Histogram{},
	}
}

// seconds describes a histogram that is both native and classic.
func seconds(name, help string, labels prometheus.Labels) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, ConstLabels: labels,
		Buckets:                         []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// count adds what holds for a late result, too.
func (c *checkSeries) count(r *results.Result) {
	c.runs[min(r.Status, results.Unknown)]++
	if r.Status == results.Unknown {
		c.missed[r.Cause]++
		return
	}
	c.duration.Observe(r.Duration.Seconds())
	for _, st := range r.Steps {
		if _, verdict := st.Values[verdictValue]; verdict || st.Status == results.Unknown {
			continue
		}
		c.observe(clean(st.Name), st.Duration)
	}
}

func (c *checkSeries) observe(step string, took time.Duration) {
	if c.steps[step] == nil {
		labels := maps.Clone(c.labels)
		labels["step"] = step
		c.steps[step] = prometheus.NewHistogram(seconds(
			"foreshock_step_duration_seconds", "How long the steps of a check took.", labels))
	}
	c.steps[step].Observe(took.Seconds())
}

// newest moves the gauges.
func (c *checkSeries) newest(r *results.Result) {
	c.slot, c.status, c.values = r.Slot, r.Status, told(r)
	if r.Cause != results.CauseMissed {
		c.lastRun = r.Start
	}
}

func (c *checkSeries) collect(out *series) {
	for _, s := range results.Statuses() {
		out.counter(c.descs.runs, c.runs[s], s.String())
		out.gauge(c.descs.status, oneIf(s == c.status), s.String())
	}
	if c.status != results.Unknown {
		out.gauge(c.descs.up, oneIf(c.status != results.Critical))
	}
	if !c.lastRun.IsZero() {
		out.gauge(c.descs.lastRun, unix(c.lastRun))
	}
	for cause, n := range c.missed {
		out.counter(c.descs.missed, n, clean(string(cause)))
	}
	for _, v := range c.values {
		out.gauge(valueDesc(v.name, c.labels), v.v, v.step)
	}
	*out = append(*out, c.duration)
	for _, h := range c.steps {
		*out = append(*out, h)
	}
}

// unix gives t as Prometheus writes time, with milliseconds.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
