package faults

import (
	"errors"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func reorderKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Packets percentage    `yaml:"packets"`
		By      time.Duration `yaml:"by"`
	}
	return kind.Of("reorder", "some packets to the target wait while the ones behind them overtake", `
to: 127.0.0.1:9002
packets: 10
by: 5ms
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if err := checkPackets(s.Packets, "hold back"); err != nil {
			return nil, err
		}
		if s.By == 0 {
			return nil, kind.At("by", errors.New("got none, want how long they wait, such as 5ms, at most a minute"))
		}
		return newQueued("reorder", target, func() nfqueue.Stage { return &nfqueue.Reorder{Percent: float64(s.Packets), By: s.By} })
	})
}
