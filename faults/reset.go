package faults

import (
	"errors"
	"hash/fnv"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
)

// broken is a target whose open connections are reset, each at its next packet, while
// new ones pass: a peer that was started anew, a balancer that lost its table.
type broken struct{ target Target }

func resetKind() kind.Kind[Fault] {
	return kind.Of("reset", "connections that are open are reset at their next packet; new ones pass", `
to: 127.0.0.1:9002
`, selectTCP(), func(s Selector) (Fault, error) {
		target, err := s.target()
		switch {
		case err != nil:
			return nil, err
		case target.Protocol != tcp:
			return nil, kind.At("protocol", errors.New("got "+target.Protocol+", want tcp: nothing else has connections to reset"))
		case target.Direction != dirOut:
			return nil, kind.At("direction", errors.New("got "+target.Direction+", want out: new connections are told by their first packet to the target"))
		}
		return broken{target}, nil
	})
}

func (b broken) Kind() string   { return "reset" }
func (b broken) Target() Target { return b.target }

// Rules implements [Fault]. A connection that begins while the fault acts gets a label
// in the kernel's connection tracking, which nothing else reads, and is spared by it.
func (b broken) Rules(Family) []Rule {
	label := []string{"-m", "connlabel", "--label", b.label()}
	return []Rule{
		{Match: append([]string{"--syn"}, append(label, "--set")...), Action: []string{"-j", "RETURN"}, Spares: true},
		{Match: append([]string{"!", "--syn", "-m", "connlabel", "!"}, label[2:]...), Action: []string{"-j", "REJECT", "--reject-with", "tcp-reset"}},
	}
}

// label is one of the 128 that a connection can have; faults of other targets have others.
func (b broken) label() string {
	const labels = 128
	h := fnv.New32a()
	_, _ = h.Write([]byte(b.target.String()))
	return strconv.Itoa(int(h.Sum32() % labels))
}
