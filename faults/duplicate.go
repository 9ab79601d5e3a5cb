package faults

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func duplicateKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Packets percentage `yaml:"packets"`
	}
	return kind.Of("duplicate", "some packets to the target arrive twice", `
to: 127.0.0.1:9002
packets: 10
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if err := checkPackets(s.Packets, "duplicate"); err != nil {
			return nil, err
		}
		return newQueued("duplicate", target, func() nfqueue.Stage { return &nfqueue.Duplicate{Percent: float64(s.Packets)} })
	})
}
