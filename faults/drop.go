package faults

import (
	"fmt"

	"github.com/foreshock/foreshock/internal/kind"
)

const (
	establishedDrop  = "drop"
	establishedReset = "reset"

	// silentQueue is a queue nobody reads. A packet sent to it vanishes without an
	// error; DROP would tell the local sender of a datagram EPERM, as no dead host does.
	silentQueue = "64444"
)

// dropped is a target that does not answer.
type dropped struct {
	target Target
	reset  bool // connections that are open are reset, not left hanging
}

func dropKind(established string) kind.Kind[Fault] {
	type settings struct {
		Selector
		Established string `yaml:"established"`
	}
	return kind.Of("drop", "packets to the target vanish, as if the host were dead", `
to: 127.0.0.1:9002
protocol: tcp
established: reset
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		switch s.Established {
		case "":
			s.Established = established
		case establishedDrop, establishedReset:
			if target.Protocol != tcp {
				return nil, kind.At("established", fmt.Errorf("got %q with protocol %s, which has no connections; leave it out", s.Established, s.Protocol))
			}
			if s.Established == establishedReset && target.Direction != dirOut {
				return nil, kind.At("established", fmt.Errorf("got reset with direction %s, want direction out: a reset answers the client's packets", target.Direction))
			}
		default:
			return nil, kind.At("established", fmt.Errorf("%s", kind.UnknownWord("word", s.Established, []string{establishedDrop, establishedReset})))
		}
		return dropped{target, s.Established == establishedReset && target.Direction == dirOut}, nil
	})
}

// Gone makes packets to a target vanish; connections over TCP that are open are reset.
func Gone(t Target) Fault { return dropped{t, t.Protocol == tcp && t.Direction == dirOut} }

func (d dropped) Kind() string   { return "drop" }
func (d dropped) Target() Target { return d.target }

// Rules implements [Fault]. With reset, only new connections vanish: a pool then
// dials anew at once, and every call from the first on is an attempt.
func (d dropped) Rules(Family) []Rule {
	if d.reset && d.target.Protocol == tcp {
		return []Rule{
			{Match: []string{"--syn"}, Action: []string{"-j", "DROP"}},
			{Match: []string{"!", "--syn"}, Action: []string{"-j", "REJECT", "--reject-with", "tcp-reset"}},
		}
	}
	if d.target.Protocol == tcp {
		return []Rule{{Action: []string{"-j", "DROP"}}}
	}
	return []Rule{vanish()}
}

// vanish drops a packet of any protocol so that its sender is not told.
func vanish(match ...string) Rule {
	return Rule{Match: match, Action: []string{"-j", "NFQUEUE", "--queue-num", silentQueue}}
}
