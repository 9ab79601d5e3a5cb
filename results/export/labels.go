package export

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// reserved are the label names that mean something on Foreshock's own series.
func reserved() []string {
	return []string{"check", "kind", "location", "status", "step", "cause", "scenario", "property", "verdict", "sink", "le", "quantile"}
}

// constLabels makes the labels that go on all series of one check: its identity and
// what its owner wrote. Names are made fit for Prometheus; one that is taken gets
// the prefix label_.
func constLabels(check, kind, location string, own map[string]string) prometheus.Labels {
	labels := prometheus.Labels{"check": clean(check), "kind": clean(kind), "location": clean(location)}
	taken := reserved()
	for _, name := range slices.Sorted(maps.Keys(own)) {
		fit := labelName(name)
		for slices.Contains(taken, fit) {
			fit = "label_" + fit
		}
		taken = append(taken, fit)
		labels[fit] = clean(own[name])
	}
	return labels
}

// labelName turns any text into a label name: letters, digits and _, not beginning
// with a digit or with the __ that Prometheus keeps for itself.
func labelName(s string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
	switch {
	case name == "", strings.HasPrefix(name, "__"):
		return "label_" + strings.TrimLeft(name, "_")
	case name[0] >= '0' && name[0] <= '9':
		return "_" + name
	}
	return name
}

// clean keeps one bad byte from spoiling the whole exposition.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
