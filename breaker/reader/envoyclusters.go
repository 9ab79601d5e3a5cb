package reader

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// What Envoy's admin says at /clusters?format=json. It leaves out what is zero, and
// writes whole numbers as text.
type (
	envoyClusters struct {
		Clusters []envoyCluster `json:"cluster_statuses"`
	}
	envoyCluster struct {
		Name  string      `json:"name"`
		Hosts []envoyHost `json:"host_statuses"`
	}
	envoyHost struct {
		Address struct {
			Socket struct {
				Address string `json:"address"`
				Port    uint16 `json:"port_value"`
			} `json:"socket_address"`
			Pipe struct {
				Path string `json:"path"`
			} `json:"pipe"`
		} `json:"address"`
		Hostname string `json:"hostname"`
		Health   struct {
			Outlier bool `json:"failed_outlier_check"` // the host is ejected
		} `json:"health_status"`
		Stats []struct {
			Name  string `json:"name"`
			Value uint64 `json:"value,string"`
		} `json:"stats"`
	}
)

// clusters reads the page of clusters.
func (e *envoy) clusters(body []byte) (Sample, error) {
	var page envoyClusters
	if err := json.Unmarshal(body, &page); err != nil {
		return Sample{}, fmt.Errorf("want the JSON of Envoy's /clusters?format=json: %w", err)
	}
	if page.Clusters == nil {
		return Sample{}, errors.New("got JSON without cluster_statuses, want that of Envoy's /clusters?format=json")
	}
	var names []string
	for _, c := range page.Clusters {
		names = append(names, c.Name)
	}
	name, err := e.cluster(names)
	if err != nil {
		return Sample{}, err
	}
	var hosts []envoyHost
	for _, c := range page.Clusters {
		if c.Name == name {
			hosts = append(hosts, c.Hosts...)
		}
	}
	return e.hosts(hosts)
}

// hosts reads the state from the hosts of the cluster.
func (e *envoy) hosts(hosts []envoyHost) (Sample, error) {
	var known []string
	out, of := 0.0, 0.0
	sample := Sample{Counters: map[string]float64{"calls": 0, "failures": 0}}
	for _, h := range hosts {
		known = append(known, h.address())
		if e.Host != "" && e.Host != h.address() && e.Host != h.named() {
			continue
		}
		of++
		if h.Health.Outlier {
			out++
		}
		for _, s := range h.Stats {
			switch s.Name {
			case "rq_total":
				sample.Counters["calls"] += float64(s.Value)
			case "rq_error":
				sample.Counters["failures"] += float64(s.Value)
			}
		}
	}
	switch {
	case of == 0 && e.Host != "":
		return Sample{}, noSuch("host", e.Host, known)
	case of == 0:
		sample.Note = "the cluster has no host"
		return sample, nil
	}
	sample.Counters["ejected"] = out
	sample.Raw = fmt.Sprintf("failed_outlier_check of %v of %v hosts", out, of)
	sample.State, sample.Note = ejected(out, of)
	return sample, nil
}

func (h envoyHost) address() string {
	if h.Address.Pipe.Path != "" {
		return h.Address.Pipe.Path
	}
	return h.at(h.Address.Socket.Address)
}

func (h envoyHost) named() string { return h.at(h.Hostname) }

func (h envoyHost) at(host string) string {
	return net.JoinHostPort(host, strconv.Itoa(int(h.Address.Socket.Port)))
}
