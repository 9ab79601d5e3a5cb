package reader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A page is what a Prometheus exporter shows, by the names of the metrics.
type page map[string]*dto.MetricFamily

// A series is one gauge or counter and its labels.
type series struct {
	labels map[string]string
	value  float64
}

// metrics returns the page at u.
func (w *web) metrics(ctx context.Context, u *url.URL) (page, error) {
	body, err := w.get(ctx, u)
	if err != nil {
		return nil, err
	}
	p, err := parsePage(body)
	if err != nil {
		return nil, blind(u, err)
	}
	return p, nil
}

// parsePage reads the text format of Prometheus; a page that was cut off is an error.
func parsePage(body []byte) (page, error) {
	switch { // not by the first letter alone: a name with dots stands in braces
	case begins(body, '<'):
		return nil, errors.New("got HTML or XML, want metrics in the text format of Prometheus")
	case json.Valid(body):
		return nil, errors.New("got JSON, want metrics in the text format of Prometheus")
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	p, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("want metrics in the text format of Prometheus: %s", brief(err.Error()))
	}
	return p, nil
}

// brief is the start of a text.
func brief(text string) string {
	const limit = 160
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

// series lists the gauges and counters of a metric that have all the labels in want.
func (p page) series(metric string, want map[string]string) []series {
	var out []series
	for _, m := range p[metric].GetMetric() {
		s := series{labels: labelsOf(m)}
		switch {
		case !s.has(want):
			continue
		case m.GetGauge() != nil:
			s.value = m.GetGauge().GetValue()
		case m.GetCounter() != nil:
			s.value = m.GetCounter().GetValue()
		case m.GetUntyped() != nil:
			s.value = m.GetUntyped().GetValue()
		default: // a summary or a histogram has no one value
			continue
		}
		out = append(out, s)
	}
	return out
}

func (s series) has(want map[string]string) bool {
	for k, v := range want {
		if s.labels[k] != v {
			return false
		}
	}
	return true
}

// rest is the labels of a series but for those that are left out, for a person.
func (s series) rest(out ...string) string {
	var text []string
	for _, k := range slices.Sorted(maps.Keys(s.labels)) {
		if !slices.Contains(out, k) {
			text = append(text, fmt.Sprintf("%s=%q", k, s.labels[k]))
		}
	}
	return "{" + strings.Join(text, ",") + "}"
}

// with returns labels and one more.
func with(labels map[string]string, name, value string) map[string]string {
	all := make(map[string]string, len(labels)+1)
	maps.Copy(all, labels)
	all[name] = value
	return all
}

// values lists what a label is in the series of a metric.
func (p page) values(metric, label string) []string {
	var all []string
	for _, s := range p.series(metric, nil) {
		if v, ok := s.labels[label]; ok {
			all = append(all, v)
		}
	}
	return all
}

// one refuses series of several breakers, which differ in labels other than those named.
func one(name string, all []series, except ...string) error {
	groups := map[string]bool{}
	for _, s := range all {
		groups[s.rest(except...)] = true
	}
	if len(groups) > 1 {
		return ambiguous(name, slices.Collect(maps.Keys(groups)), "choose by labels")
	}
	return nil
}

// hot reads a one-hot gauge: the value of label in the one series that is at 1.
func hot(all []series, label string, state func(word string) (State, bool)) Sample {
	var at []string
	for _, s := range all {
		if s.value == 1 {
			at = append(at, s.labels[label])
		}
	}
	slices.Sort(at)
	switch len(at) {
	case 0:
		return Sample{Note: fmt.Sprintf("no %s is at 1", label)}
	case 1:
	default:
		return Sample{Note: fmt.Sprintf("several are at 1 at once: %s %s", label, strings.Join(at, ", "))}
	}
	sample := Sample{Raw: fmt.Sprintf("%s=%q", label, at[0])}
	known := false
	if sample.State, known = state(at[0]); !known {
		sample.Note = fmt.Sprintf("%s %q has no known meaning", label, at[0])
	}
	return sample
}

// count puts the sum of a counter's series under a name, if it has any.
func (s *Sample) count(name string, all []series) {
	if len(all) == 0 {
		return
	}
	if s.Counters == nil {
		s.Counters = map[string]float64{}
	}
	for _, each := range all {
		s.Counters[name] += each.value
	}
}

// noMetric says that a page lacks a metric altogether.
func noMetric(p page, metric, why string) error {
	if len(p) == 0 {
		return errors.New("got a page without any metric")
	}
	return fmt.Errorf("got %d metrics without %s: %s", len(p), metric, why)
}

// counts lists how often each summary or histogram of a metric was observed.
func (p page) counts(metric string, want map[string]string) []series {
	var out []series
	for _, m := range p[metric].GetMetric() {
		s := series{labels: labelsOf(m)}
		switch {
		case !s.has(want):
			continue
		case m.GetSummary() != nil:
			s.value = float64(m.GetSummary().GetSampleCount())
		case m.GetHistogram() != nil:
			s.value = float64(m.GetHistogram().GetSampleCount())
		default:
			continue
		}
		out = append(out, s)
	}
	return out
}

func labelsOf(m *dto.Metric) map[string]string {
	labels := make(map[string]string, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

// pick keeps the series whose label has the value.
func pick(all []series, label, value string) []series {
	return slices.DeleteFunc(slices.Clone(all), func(s series) bool { return s.labels[label] != value })
}
