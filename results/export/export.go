// Package export takes results to other systems: one file a system, each a
// [results.Sink]. A sink encodes and sends; it must never decide what a result
// means, wait for another sink, or reach back to what made the result.
package export

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// Kinds lists every kind of sink. prom is the one Prometheus sink of the process:
// whoever serves HTTP needs it as well, so it is made first and handed in.
func Kinds(prom *Prometheus) kind.Table[results.Sink] {
	return kind.Table[results.Sink]{
		prometheusKind(prom),
	}
}
