package faults

import (
	"fmt"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
)

// lossy is a way to the target on which packets get lost by chance.
type lossy struct {
	target Target
	share  float64 // of the packets, 0 to 1
}

func lossKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Packets percentage `yaml:"packets"`
	}
	defaults := settings{Selector: selectTCP()}
	defaults.Direction = dirBoth
	return kind.Of("loss", "a percentage of the packets is lost, on the way there and back", `
to: 127.0.0.1:9002
packets: 10
`, defaults, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if err := checkPackets(s.Packets, "lose"); err != nil {
			return nil, err
		}
		return lossy{target, float64(s.Packets) / 100}, nil
	})
}

// checkPackets refuses what is no share of packets.
func checkPackets(percent percentage, what string) error {
	if percent >= 0.01 && percent <= 100 {
		return nil
	}
	return kind.At("packets", fmt.Errorf("got %v, want the percentage of packets to %s, from 0.01 to 100", percent, what))
}

func (l lossy) Kind() string   { return "loss" }
func (l lossy) Target() Target { return l.target }

// Rules implements [Fault]. The coin is tossed once for a packet, by the rule that
// spares it: a second toss would let the first hit be another packet than the counted.
func (l lossy) Rules(Family) []Rule {
	if l.share == 1 {
		return []Rule{vanish(l.target.Once()...)}
	}
	luck := strconv.FormatFloat(1-l.share, 'f', 9, 64)
	return []Rule{
		{Match: append(l.target.Once(), "-m", "statistic", "--mode", "random", "--probability", luck), Action: []string{"-j", "RETURN"}, Spares: true},
		vanish(l.target.Once()...),
	}
}
