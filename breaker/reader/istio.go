package reader

import (
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

var istioKind = kind.Of("istio", "outlier detection in the sidecar of the calling service, of one host of the mesh", `
url: http://127.0.0.1:15000
name: payments.shop.svc.cluster.local:8000
`, envoy{web: defaults(), Watch: "ejections"}, func(e envoy) (Reader, error) {
	e.matches = func(cluster string) bool { return cluster == e.Name || outbound(cluster, e.Name) }
	return &e, e.compile()
})

// outbound reports whether a cluster, such as outbound|8000|v1|payments.shop.svc.cluster.local,
// is that of calls to HOST or HOST:PORT, whatever its subset.
func outbound(cluster, name string) bool {
	parts := strings.Split(cluster, "|")
	if len(parts) != 4 || parts[0] != "outbound" {
		return false
	}
	return name == parts[3] || name == parts[3]+":"+parts[1]
}
