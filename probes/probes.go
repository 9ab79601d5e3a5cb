// Package probes looks at a service over one protocol: one file a kind. A probe
// knows nothing of schedules, stores or faults; it records phases as steps and
// returns what was wrong.
package probes

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// Kinds lists every kind of probe.
func Kinds() kind.Table[results.Check] {
	return kind.Table[results.Check]{
		httpKind,
		tcpKind,
		tlsKind,
	}
}
