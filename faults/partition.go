package faults

import (
	"errors"
	"fmt"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
)

// parted is two groups of hosts that cannot reach each other, and all others can.
type parted struct{ target Target }

func partitionKind() kind.Kind[Fault] {
	type settings struct {
		Between  words  `yaml:"between"`
		And      words  `yaml:"and"`
		Ports    words  `yaml:"ports"`
		Protocol string `yaml:"protocol"`
		Netns    string `yaml:"netns"`
	}
	return kind.Of("partition", "two groups of hosts cannot reach each other, in either direction", `
between: [10.0.0.1, 10.0.0.2]
and: 10.0.1.0/24
`, settings{Protocol: allProtocols}, func(s settings) (Fault, error) {
		for _, group := range []struct {
			key   string
			hosts words
		}{{"between", s.Between}, {"and", s.And}} {
			if len(group.hosts) == 0 {
				return nil, kind.At(group.key, errors.New("got no host, want addresses, CIDRs or names"))
			}
			if err := group.hosts.each(group.key, parseSource); err != nil {
				return nil, err
			}
		}
		known := []string{tcp, udp, icmp, allProtocols}
		if !slices.Contains(known, s.Protocol) {
			return nil, kind.At("protocol", fmt.Errorf("%s", kind.UnknownWord("protocol", s.Protocol, known)))
		}
		t := Target{From: slices.Clone(s.Between), Protocol: s.Protocol, Direction: dirBoth, Netns: s.Netns}
		for _, host := range s.And {
			t.To = append(t.To, Endpoint{Host: host})
		}
		err := s.Ports.each("ports", func(word string) error {
			r, err := parsePorts(word)
			t.Ports = append(t.Ports, r)
			return err
		})
		if err == nil {
			err = t.check()
		}
		if err != nil {
			return nil, err
		}
		return parted{t}, nil
	})
}

func (p parted) Kind() string   { return "partition" }
func (p parted) Target() Target { return p.target }

// Rules implements [Fault].
func (p parted) Rules(Family) []Rule { return []Rule{vanish()} }
