package reader

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

var envoyKind = kind.Of("envoy", "Envoy's outlier detection, or its limits, of one cluster", `
url: http://127.0.0.1:9901
name: payments
`, envoy{web: defaults(), Watch: "ejections"}, func(e envoy) (Reader, error) {
	e.matches = func(cluster string) bool { return cluster == e.Name }
	return &e, e.compile()
})

type envoy struct {
	web
	Name  string `yaml:"name"`  // of the cluster
	Host  string `yaml:"host"`  // ADDRESS:PORT of the one host that counts; default: all of the cluster
	Watch string `yaml:"watch"` // ejections, or limits: what Envoy calls circuit_breakers

	matches func(cluster string) bool
	ask     *url.URL
	panics  float64 // of the read before; below 0 before the first
}

func (e *envoy) compile() error {
	if err := e.prepare(); err != nil {
		return err
	}
	if e.Watch != "ejections" && e.Watch != "limits" {
		return kind.At("watch", errors.New(kind.UnknownWord("word", e.Watch, []string{"ejections", "limits"})))
	}
	if e.Host != "" && e.Watch == "limits" {
		return kind.At("host", errors.New("got a host beside watch: limits, which are the cluster's"))
	}
	e.panics = -1
	e.ask = e.base.JoinPath()
	switch path := strings.Trim(e.base.Path, "/"); {
	case path == "" && e.Watch == "limits":
		e.ask = e.below("stats", "prometheus")
	case path == "" || path == "clusters":
		e.ask.Path, e.ask.RawQuery = "/clusters", "format=json"
	case e.Host != "":
		return kind.At("host", errors.New("got a host beside a url of metrics, which know only clusters; want the address of Envoy's admin, such as http://127.0.0.1:9901"))
	}
	return named(e.Name, "cluster")
}

// Read implements [Reader].
func (e *envoy) Read(ctx context.Context) (Sample, error) {
	body, err := e.get(ctx, e.ask)
	if err != nil {
		return Sample{}, err
	}
	var sample Sample
	if begins(body, '{') {
		sample, err = e.clusters(body)
	} else {
		sample, err = e.page(body)
	}
	if err != nil {
		return Sample{}, blind(e.ask, err)
	}
	sample.NoHalfOpen = true // a host simply returns
	return sample, nil
}

// cluster finds the one cluster that is meant, among names.
func (e *envoy) cluster(names []string) (string, error) {
	mine := map[string]bool{}
	for _, n := range names {
		if e.matches(strings.TrimSuffix(n, ";")) { // as some versions of Istio cut it
			mine[n] = true
		}
	}
	switch len(mine) {
	case 0:
		return "", noSuch("cluster", e.Name, names)
	case 1:
		for n := range mine {
			return n, nil
		}
	}
	each := make([]string, 0, len(mine))
	for n := range mine {
		each = append(each, n)
	}
	return "", ambiguous(e.Name, each, "give the whole name of one")
}

// ejected is the state of a cluster by how many of its hosts are ejected.
func ejected(n, of float64) (State, string) {
	switch {
	case n == 0:
		return Closed, ""
	case n >= of:
		return Open, ""
	}
	return Unknown, fmt.Sprintf("%v of %v hosts are ejected, which opens it to those alone: name one by host", n, of)
}
