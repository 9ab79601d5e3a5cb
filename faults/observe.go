package faults

import (
	"errors"

	"github.com/foreshock/foreshock/internal/kind"
)

// observed is a target that is only watched: beside a fault that is not in the packets'
// way, it counts who tries to reach what that one broke.
type observed struct{ target Target }

func watchKind() kind.Kind[Fault] {
	return kind.Of("watch", "breaks nothing: counts who tries to reach the target, beside a pause or a kill", `
to: 127.0.0.1:9002
`, selectTCP(), func(s Selector) (Fault, error) {
		target, err := s.target()
		switch {
		case err != nil:
			return nil, err
		case target.Protocol != tcp && target.Protocol != allProtocols:
			return nil, kind.At("protocol", errors.New("got "+target.Protocol+", which has no connections to count, want tcp or all"))
		}
		return observed{target}, nil
	})
}

func (o observed) Kind() string   { return "watch" }
func (o observed) Target() Target { return o.target }

// Rules implements [Fault]. A rule without an action counts, and lets the packet go on.
func (o observed) Rules(Family) []Rule { return []Rule{{}} }
