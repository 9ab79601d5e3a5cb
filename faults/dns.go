package faults

import (
	"fmt"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
)

// The answers that a broken resolver gives. One that is forged needs a program in the
// packet's way and so is not a matter of rules alone.
const (
	answerRefuse = "refuse"
	answerDrop   = "drop"
)

// unnamed is a resolver that does not resolve.
type unnamed struct {
	target Target
	answer string
}

func dnsKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Answer string `yaml:"answer"`
	}
	defaults := settings{Selector: selectTCP(), Answer: answerRefuse}
	defaults.Protocol = allProtocols
	return kind.Of("dns", "a resolver refuses or ignores every question, over UDP and TCP", `
to: 127.0.0.1:9002
answer: refuse
`, defaults, func(s settings) (Fault, error) {
		if len(s.Ports) == 0 {
			s.Ports = words{"53"}
		}
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if len(target.To) == 0 {
			return nil, kind.At("to", fmt.Errorf("got nothing, want the address of a resolver, such as 10.0.0.53"))
		}
		known := []string{tcp, udp, allProtocols}
		if !slices.Contains(known, target.Protocol) {
			return nil, kind.At("protocol", fmt.Errorf("%s", kind.UnknownWord("protocol of resolvers", target.Protocol, known)))
		}
		answers := []string{answerRefuse, answerDrop}
		if !slices.Contains(answers, s.Answer) {
			return nil, kind.At("answer", fmt.Errorf("%s", kind.UnknownWord("answer", s.Answer, answers)))
		}
		return unnamed{target, s.Answer}, nil
	})
}

func (u unnamed) Kind() string   { return "dns" }
func (u unnamed) Target() Target { return u.target }

// Rules implements [Fault].
func (u unnamed) Rules(family Family) []Rule {
	if u.answer == answerDrop {
		return []Rule{vanish()}
	}
	var out []Rule
	for _, protocol := range []string{tcp, udp} {
		one := u.target
		one.Protocol = protocol
		switch u.target.Protocol {
		case protocol:
			out = append(out, rejected{one, refusals(protocol)[0]}.Rules(family)...)
		case allProtocols:
			for _, r := range (rejected{one, refusals(protocol)[0]}).Rules(family) {
				r.Match = append([]string{"-p", protocol}, r.Match...)
				out = append(out, r)
			}
		}
	}
	return out
}
