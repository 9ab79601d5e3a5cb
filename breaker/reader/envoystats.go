package reader

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// envoyLabels are what the label of a cluster is called: by Envoy, and by Istio.
func envoyLabels() []string { return []string{"envoy_cluster_name", "cluster_name"} }

// page reads Envoy's metrics.
func (e *envoy) page(body []byte) (Sample, error) {
	p, err := parsePage(body)
	if err != nil {
		return Sample{}, err
	}
	label, names := map[string]string{}, []string{}
	for metric := range p {
		if !strings.HasPrefix(metric, "envoy_cluster_") {
			continue
		}
		for _, l := range envoyLabels() {
			for _, name := range p.values(metric, l) {
				label[name] = l
				names = append(names, name)
			}
		}
	}
	cluster, err := e.cluster(names)
	if err != nil {
		return Sample{}, err
	}
	mine := map[string]string{label[cluster]: cluster}
	if e.Watch == "limits" {
		return envoyLimits(p, mine)
	}
	return e.ejections(p, mine)
}

// total returns the sum of a metric's series, and whether it has any.
func (p page) total(metric string, want map[string]string) (float64, bool) {
	all, sum := p.series(metric, want), 0.0
	for _, s := range all {
		sum += s.value
	}
	return sum, len(all) > 0
}

func (e *envoy) ejections(p page, mine map[string]string) (Sample, error) {
	active, ok := p.total("envoy_cluster_outlier_detection_ejections_active", mine)
	if !ok {
		return Sample{}, fmt.Errorf("cluster %q: got no statistics of outlier_detection, want the cluster to have it and the stats to include it (Istio leaves it out: proxyStatsMatcher, inclusionRegexps .*outlier_detection.*)", e.Name)
	}
	sample := Sample{Raw: fmt.Sprintf("ejections_active %v", active)}
	hosts, ok := p.total("envoy_cluster_membership_total", mine)
	if ok {
		sample.Raw += fmt.Sprintf(" of %v hosts", hosts)
		sample.State, sample.Note = ejected(active, hosts)
	} else if active == 0 {
		sample.State = Closed
	} else {
		sample.Note = fmt.Sprintf("%v hosts are ejected, of how many is not said: include membership_total, or give the url of Envoy's admin", active)
	}
	if panics, ok := p.total("envoy_cluster_lb_healthy_panic", mine); ok {
		if e.panics >= 0 && panics > e.panics && active > 0 {
			sample.Note = join(sample.Note, fmt.Sprintf("but Envoy is in panic: %v requests more went to hosts whether ejected or not", panics-e.panics))
		}
		e.panics = panics
	}
	for name, metric := range map[string]string{
		"ejections":     "envoy_cluster_outlier_detection_ejections_enforced_total",
		"overflow":      "envoy_cluster_outlier_detection_ejections_overflow",
		"healthy":       "envoy_cluster_membership_healthy",
		"panics":        "envoy_cluster_lb_healthy_panic",
		"calls":         "envoy_cluster_upstream_rq_total",
		"not_permitted": "envoy_cluster_upstream_rq_pending_overflow",
	} {
		sample.count(name, p.series(metric, mine))
	}
	return sample, nil
}

// envoyLimits reads what Envoy calls circuit breakers: limits, of which one that is
// reached refuses calls.
func envoyLimits(p page, mine map[string]string) (Sample, error) {
	sample := Sample{}
	var reached, seen []string
	for _, limit := range []string{"cx_open", "cx_pool_open", "rq_pending_open", "rq_open", "rq_retry_open"} {
		for _, priority := range []string{"default", "high"} {
			name := priority + "_" + limit
			all := p.series("envoy_cluster_circuit_breakers_"+name, mine)
			if len(all) == 0 {
				continue
			}
			seen = append(seen, name)
			sample.count(name, all)
			if slices.ContainsFunc(all, func(s series) bool { return s.value > 0 }) {
				reached = append(reached, name)
			}
		}
	}
	if len(seen) == 0 {
		return Sample{}, errors.New("got no statistics of circuit_breakers, want the stats to include them (Istio leaves them out: proxyStatsMatcher, inclusionRegexps .*circuit_breakers.*)")
	}
	sample.count("not_permitted", p.series("envoy_cluster_upstream_rq_pending_overflow", mine))
	sample.State, sample.Raw = Closed, "no limit is reached"
	if len(reached) > 0 {
		sample.State, sample.Raw = Open, strings.Join(reached, ", ")+" at 1"
	}
	return sample, nil
}
