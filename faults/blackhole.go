package faults

import (
	"github.com/foreshock/foreshock/internal/kind"
)

// hole is one direction in which everything vanishes. With in, the target does its
// work and nobody hears of it; with out, it hears nothing and may still speak.
type hole struct{ target Target }

func blackholeKind() kind.Kind[Fault] {
	defaults := selectTCP()
	defaults.Direction = dirIn
	return kind.Of("blackhole", "packets of one direction vanish: by default the answers of the target", `
to: 127.0.0.1:9002
direction: in
`, defaults, func(s Selector) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		return hole{target}, nil
	})
}

func (h hole) Kind() string   { return "blackhole" }
func (h hole) Target() Target { return h.target }

// Rules implements [Fault].
func (h hole) Rules(Family) []Rule { return []Rule{vanish()} }
