package faults

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func duplicateKind() kind.Kind[Fault] {
	return shareKind("duplicate", "some packets to the target arrive twice",
		func(percent float64) nfqueue.Stage { return &nfqueue.Duplicate{Percent: percent} })
}
