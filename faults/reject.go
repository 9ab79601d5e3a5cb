package faults

import (
	"fmt"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
)

// rejected is a target that refuses. TCP over IPv6 within one host hears of an ICMP
// error only at its first retransmission, after a second: the kernel drops the one
// that comes back while the sender is still sending.
type rejected struct {
	target Target
	with   string
}

func rejectKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		With string `yaml:"with"`
	}
	return kind.Of("reject", "packets to the target are refused at once, by a reset or an ICMP error", `
to: 127.0.0.1:9002
with: tcp-reset
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		words := refusals(target.Protocol)
		if s.With == "" {
			s.With = words[0]
		}
		if !slices.Contains(words, s.With) {
			return nil, kind.At("with", fmt.Errorf("%s", kind.UnknownWord("refusal of "+s.Protocol, s.With, words)))
		}
		return rejected{target, s.With}, nil
	})
}

// refusals are the words for how packets are refused; the first is the default.
func refusals(protocol string) []string {
	words := []string{"icmp-port-unreachable", "icmp-host-unreachable", "icmp-admin-prohibited"}
	if protocol == tcp {
		words = slices.Insert(words, 0, "tcp-reset")
	}
	return words
}

func (r rejected) Kind() string   { return "reject" }
func (r rejected) Target() Target { return r.target }

// Rules implements [Fault].
func (r rejected) Rules(family Family) []Rule {
	rule := Rule{Action: []string{"-j", "REJECT", "--reject-with", r.word(family)}}
	if r.target.Protocol != tcp {
		// Refused on the way out, a local sender would get EPERM. On loopback the
		// way in is ours too, and an ICMP error answers there as a real host's does.
		rule.Match = r.target.Once()
	}
	return []Rule{rule}
}

// Refuses says that whoever the fault meets is told so at once, and need not wait.
func Refuses(f Fault) bool {
	rules := slices.DeleteFunc(f.Rules(IPv4), func(r Rule) bool { return r.Spares })
	silent := func(r Rule) bool { return !slices.Contains(r.Action, "REJECT") }
	return len(rules) > 0 && !slices.ContainsFunc(rules, silent)
}

func (r rejected) word(family Family) string {
	if family == IPv4 {
		return r.with
	}
	switch r.with {
	case "icmp-port-unreachable":
		return "icmp6-port-unreachable"
	case "icmp-host-unreachable":
		return "icmp6-addr-unreachable"
	case "icmp-admin-prohibited":
		return "icmp6-adm-prohibited"
	}
	return r.with
}
