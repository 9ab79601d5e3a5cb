package faults

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

const (
	tcp          = "tcp"
	udp          = "udp"
	icmp         = "icmp"
	allProtocols = "all"

	dirOut  = "out" // packets to the target
	dirIn   = "in"  // packets from it
	dirBoth = "both"
)

// A Target is which packets are broken: those that every field selects. Only the
// address, the protocol and the direction are required, and any address is one. Or it
// is processes, and then nothing else.
type Target struct {
	To        []Endpoint  // any of these; empty means any host
	Ports     []PortRange // of endpoints that have none of their own; empty means all
	From      []string    // the other side: addresses, CIDRs or names; empty means anybody
	Protocol  string      // tcp, udp, icmp or all
	Direction string      // out: to the target, sent, received or forwarded; in: from it; both
	User      string      // name or number; only what this host itself sends
	Cgroup    string      // path below the root of cgroup v2; only what this host itself sends
	Netns     string      // where the rules go; empty means where the Injector says
	Percent   float64     // of the connections; 0 means all
	Original  bool        // To is what connections were opened to, before any translation
	Arriving  bool        // what this host sends over TCP is let be, and what comes back is met in its place
	Processes string      // what is broken instead of packets, in words
}

// An Endpoint is a host and its ports.
type Endpoint struct {
	Host  string      // a name, an address or a CIDR
	Ports []PortRange // empty means those of the Target
}

// A PortRange is the ports from First to Last, both included.
type PortRange struct{ First, Last uint16 }

// String gives 5432 or 9000-9010.
func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func (r PortRange) has(port uint16) bool { return r.First <= port && port <= r.Last }

// namedMax is how many endpoints a text names; a label has little room.
const namedMax = 2

// String gives host:port, with brackets around an IPv6 address; of many, the first
// and how many more.
func (t Target) String() string {
	if t.Processes != "" {
		return t.Processes
	}
	if len(t.To) == 0 {
		return t.text(Endpoint{Host: "*"})
	}
	var out []string
	for _, e := range t.To[:min(len(t.To), namedMax)] {
		out = append(out, t.text(e))
	}
	text := strings.Join(out, ",")
	if more := len(t.To) - namedMax; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (t Target) text(e Endpoint) string {
	ports := t.portsOf(e)
	if len(ports) == 0 {
		return e.Host
	}
	var out []string
	for _, r := range ports {
		out = append(out, r.String())
	}
	return net.JoinHostPort(e.Host, strings.Join(out, ","))
}

func (t Target) portsOf(e Endpoint) []PortRange {
	if len(e.Ports) > 0 {
		return e.Ports
	}
	return t.Ports
}

func (t Target) hasPorts() bool {
	return len(t.Ports) > 0 || slices.ContainsFunc(t.To, func(e Endpoint) bool { return len(e.Ports) > 0 })
}

// sentOnly says that the kernel can tell the packets only where this host sends them.
func (t Target) sentOnly() bool { return t.User != "" || t.Cgroup != "" }

// bases are the kernel's chains that packets of the target pass: what this host
// receives, forwards for its containers, and sends.
func (t Target) bases() []string {
	if t.sentOnly() {
		return []string{"OUTPUT"}
	}
	return []string{"INPUT", "FORWARD", "OUTPUT"}
}

// Once narrows a rule so that a packet from this host to itself, which passes on its
// way out and on its way in, meets it on its way in alone. Rules that toss a coin for
// a packet, and those whose way out would tell the sender, want it.
func (t Target) Once() []string {
	if t.sentOnly() {
		return nil
	}
	return []string{"!", "-o", "lo"}
}

// protocols are what rules are made for; "" is any.
func (t Target) protocols() []string {
	if t.Protocol != allProtocols {
		return []string{t.Protocol}
	}
	if t.hasPorts() {
		return []string{tcp, udp}
	}
	return []string{""}
}

// only is the match for the target's protocol, which some actions want in their own rule.
func (t Target) only(family Family) []string {
	if t.Protocol == allProtocols {
		return nil
	}
	return protocolMatch(t.Protocol, family)
}

func protocolMatch(protocol string, family Family) []string {
	switch {
	case protocol == "":
		return nil
	case protocol == icmp && family == IPv6:
		protocol = "ipv6-icmp"
	}
	return []string{"-p", protocol}
}
