package faults

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func corruptKind() kind.Kind[Fault] {
	return shareKind("corrupt", "some packets to the target arrive with a wrong bit; the receiver sees it by the checksum and drops them",
		func(percent float64) nfqueue.Stage { return &nfqueue.Corrupt{Percent: percent} })
}
