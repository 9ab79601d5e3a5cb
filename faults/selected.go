package faults

import (
	"net/netip"
	"slices"
	"strings"
)

// selected is what one rule in the kernel selects, as far as it can be compared.
type selected struct {
	protocol string         // empty is any
	prefixes []netip.Prefix // of either side; empty is any
	ports    []PortRange
}

// selected reads a rule that selects. What it cannot read narrows nothing.
func (r savedRule) selected() selected {
	s := selected{protocol: r.after("-p")}
	for _, flag := range []string{"-d", "-s", "--ctorigdst"} {
		text := r.after(flag)
		prefix, err := netip.ParsePrefix(text)
		if addr, aerr := netip.ParseAddr(text); aerr == nil {
			prefix, err = single(addr), nil
		}
		if err == nil {
			s.prefixes = append(s.prefixes, prefix)
		}
	}
	for _, flag := range []string{"--dport", "--sport", "--dports", "--sports", "--ctorigdstport"} {
		for word := range strings.SplitSeq(r.after(flag), ",") {
			if ports, err := parsePorts(strings.ReplaceAll(word, ":", "-")); err == nil {
				s.ports = append(s.ports, ports)
			}
		}
	}
	return s
}

// overlaps says that a packet may be both the target's and what a rule selects.
func (p pinned) overlaps(s selected) bool {
	if s.protocol != "" && p.Protocol != allProtocols && s.protocol != p.Protocol {
		return false
	}
	return slices.ContainsFunc(p.hosts, func(h pinnedHost) bool {
		if h.prefix.IsValid() && len(s.prefixes) > 0 && !slices.ContainsFunc(s.prefixes, h.prefix.Overlaps) {
			return false
		}
		return len(h.ports) == 0 || len(s.ports) == 0 || slices.ContainsFunc(h.ports, func(a PortRange) bool {
			return slices.ContainsFunc(s.ports, func(b PortRange) bool {
				return a.First <= b.Last && b.First <= a.Last
			})
		})
	})
}
