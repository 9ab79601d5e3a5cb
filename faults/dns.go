package faults

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

// The ways in which a broken resolver gives no answer, by rules alone.
const (
	answerRefuse = "refuse"
	answerDrop   = "drop"
)

// anyName stands for all names that have no answer of their own.
const anyName = "*"

// unnamed is a resolver that does not resolve.
type unnamed struct {
	target Target
	answer string
}

type dnsSettings struct {
	Selector
	Answer  words            `yaml:"answer"`
	Answers map[string]words `yaml:"answers"`
}

func dnsKind() kind.Kind[Fault] {
	defaults := dnsSettings{Selector: selectTCP()}
	defaults.Protocol = allProtocols
	return kind.Of("dns", "a resolver refuses or ignores every question, over UDP and TCP, or answers wrongly, over UDP", `
to: 127.0.0.1:9002
answers:
  db.example.com: 192.0.2.7
  "*.example.org": nxdomain
`, defaults, func(s dnsSettings) (Fault, error) {
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
		if len(s.Answer)+len(s.Answers) == 0 {
			s.Answer = words{answerRefuse}
		}
		if !slices.Contains(s.Answer, answerRefuse) && !slices.Contains(s.Answer, answerDrop) {
			return s.forged(target)
		}
		switch {
		case len(s.Answer) > 1:
			return nil, kind.At("answer", fmt.Errorf("got %s, want %s or %s alone", strings.Join(s.Answer, ", "), answerRefuse, answerDrop))
		case len(s.Answers) > 0:
			return nil, kind.At("answer", fmt.Errorf("got %s beside answers, want what other names get, or nothing: then they are answered by the resolver", s.Answer[0]))
		}
		return unnamed{target, s.Answer[0]}, nil
	})
}

// forged answers in the resolver's place. It takes a program in the packet's way.
func (s dnsSettings) forged(target Target) (Fault, error) {
	switch {
	case target.Protocol == tcp:
		return nil, kind.At("protocol", errors.New("got tcp, want udp: only questions over UDP can be answered in a resolver's place"))
	case target.Direction != dirOut:
		return nil, kind.At("direction", fmt.Errorf("got %s, want out: the questions are answered, before the resolver hears them", target.Direction))
	}
	target.Protocol = udp
	answers := map[string]nfqueue.DNSAnswer{}
	add := func(key, name string, text words) error {
		a, err := parseAnswer(text)
		if err != nil {
			return kind.At(key, err)
		}
		answers[name] = a
		return nil
	}
	for name, text := range s.Answers {
		if err := add("answers["+name+"]", name, text); err != nil {
			return nil, err
		}
	}
	if len(s.Answer) > 0 {
		if _, twice := answers[anyName]; twice {
			return nil, kind.At("answer", fmt.Errorf("got %s beside an answer for %q, want one of them", strings.Join(s.Answer, ", "), anyName))
		}
		if err := add("answer", anyName, s.Answer); err != nil {
			return nil, err
		}
	}
	return newQueued("dns", target, func() nfqueue.Stage { return &nfqueue.DNS{Answers: answers} })
}

// parseAnswer reads addresses, or one failure by the name of its code.
func parseAnswer(text words) (a nfqueue.DNSAnswer, err error) {
	failures := map[string]nfqueue.DNSFailure{
		"nxdomain": nfqueue.NXDomain, "servfail": nfqueue.ServFail, "rcode-refused": nfqueue.Refused,
	}
	for _, word := range text {
		if f, ok := failures[word]; ok && len(text) == 1 {
			a.Failure = f
			return a, nil
		}
		addr, err := netip.ParseAddr(word)
		if err != nil {
			return a, fmt.Errorf("got %q, want addresses, or one of nxdomain, servfail, rcode-refused (for all names also refuse and drop)", word)
		}
		a.Addresses = append(a.Addresses, addr)
	}
	return a, nil
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
