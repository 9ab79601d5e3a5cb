package export

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/foreshock/foreshock/results"
)

// A scenario's result says its verdict by numbers: a step named verdictValue for the
// whole, and one named by its id for each property, each with this value.
const verdictValue = "verdict"

// verdicts are the words of those numbers; only a property can be skipped.
func verdicts() []string {
	return []string{"pass", "fail", "inconclusive", "invalid", "aborted", "skipped"}
}

// scenarioSeries holds what the newest run of one scenario came to.
type scenarioSeries struct {
	verdict    string // empty if the run did not get to one
	properties map[string]string
	lastRun    time.Time
}

// scenarioName is what its faults call a scenario; a check of another name says so in a label.
func scenarioName(r *results.Result) string {
	if name := r.Labels["scenario"]; name != "" {
		return name
	}
	return r.Check
}

func (s *scenarioSeries) newest(r *results.Result) {
	if r.Cause == results.CauseMissed {
		return
	}
	*s = scenarioSeries{properties: map[string]string{}, lastRun: r.Start}
	for _, st := range r.Steps {
		word, ok := verdictOf(st)
		switch {
		case !ok:
		case st.Name == verdictValue:
			s.verdict = word
		default:
			s.properties[clean(st.Name)] = word
		}
	}
}

func verdictOf(st results.Step) (string, bool) {
	n, ok := st.Values[verdictValue]
	words := verdicts()
	if !ok || !(n >= 0 && n < float64(len(words))) { // NaN is in no range
		return "", false
	}
	return words[int(n)], true
}

func (s *scenarioSeries) collect(out *series, name string) {
	if !s.lastRun.IsZero() {
		out.gauge(scenarioLastRun(), unix(s.lastRun), name)
	}
	words := verdicts()
	if s.verdict != "" {
		for _, v := range words[:len(words)-1] {
			out.gauge(scenarioVerdict(), oneIf(v == s.verdict), name, v)
		}
	}
	for id, verdict := range s.properties {
		for _, v := range words {
			out.gauge(breakerProperty(), oneIf(v == verdict), name, id, v)
		}
	}
}

func scenarioLastRun() *prometheus.Desc {
	return prometheus.NewDesc("foreshock_scenario_last_run_timestamp_seconds",
		"When the newest run of a scenario started.", []string{"scenario"}, nil)
}

func scenarioVerdict() *prometheus.Desc {
	return prometheus.NewDesc("foreshock_scenario_verdict",
		"1 for the newest verdict of a scenario, 0 for the others.", []string{"scenario", "verdict"}, nil)
}

func breakerProperty() *prometheus.Desc {
	return prometheus.NewDesc("foreshock_breaker_property",
		"1 for the newest verdict on a property of a circuit breaker, 0 for the others.",
		[]string{"scenario", "property", "verdict"}, nil)
}
