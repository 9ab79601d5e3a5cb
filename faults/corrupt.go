package faults

import (
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func corruptKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Packets percentage `yaml:"packets"`
	}
	return kind.Of("corrupt", "some packets to the target arrive with a wrong bit; the receiver sees it by the checksum and drops them", `
to: 127.0.0.1:9002
packets: 10
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if err := checkPackets(s.Packets, "corrupt"); err != nil {
			return nil, err
		}
		return newQueued("corrupt", target, func() nfqueue.Stage { return &nfqueue.Corrupt{Percent: float64(s.Packets)} })
	})
}
