package faults

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Selector is the settings that say which packets a fault is for. Every kind that
// breaks the network embeds it in its own settings; what is left out narrows nothing.
type Selector struct {
	To        words      `yaml:"to"`                   // HOST:PORT, CIDR:PORT, HOST; one or a list
	Ports     words      `yaml:"ports"`                // of the hosts that name none: 5432, 9000-9010; one or a list
	From      words      `yaml:"from"`                 // source addresses, CIDRs or names
	Protocol  string     `yaml:"protocol"`             // tcp, udp, icmp or all
	Direction string     `yaml:"direction"`            // out: to the target; in: from it; both
	User      string     `yaml:"user"`                 // packets that a process of this user on this host sends
	Cgroup    string     `yaml:"cgroup"`               // the same of a cgroup, version 2
	Netns     string     `yaml:"netns"`                // where the rules go: NAME, pid:N, container:ID or a path
	Percent   percentage `yaml:"percent"`              // of the connections, each as a whole; 0 means all
	Original  bool       `yaml:"original_destination"` // To is a virtual address, which connections were opened to
}

// selectTCP is the selector that most kinds begin with.
func selectTCP() Selector { return Selector{Protocol: tcp, Direction: dirOut} }

// words is one text or a list of texts.
type words []string

// UnmarshalNode implements kind.Unmarshaler.
func (w *words) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.List {
		return n.Decode((*[]string)(w))
	}
	var one string
	if n.Shape != kind.Scalar {
		return fmt.Errorf("got %s, want a text or a list of texts", n.Shape)
	}
	if err := n.Decode(&one); err != nil {
		return err
	}
	*w = words{one}
	return nil
}

// NodeSchema implements kind.Describer.
func (w *words) NodeSchema(*kind.Schemas) *kind.Schema {
	return kind.Either(kind.TextSchema(), kind.ListSchema(kind.TextSchema(), 0))
}

// percentage is a number, written as 30 or as 30%, as scenarios write theirs.
type percentage float64

// UnmarshalNode implements kind.Unmarshaler.
func (p *percentage) UnmarshalNode(n kind.Node) error {
	digits := n
	digits.Text = strings.TrimSuffix(n.Text, "%")
	if err := digits.Decode((*float64)(p)); err != nil {
		return fmt.Errorf("got %q, want a percentage such as 30 or 30%%", n.Text)
	}
	return nil
}

// NodeSchema implements kind.Describer.
func (p *percentage) NodeSchema(*kind.Schemas) *kind.Schema {
	return kind.Either(&kind.Schema{Type: kind.Types{"number"}}, kind.PatternSchema(`^[0-9.]+%?$`, "30%"))
}

// each calls fn for every word, and says in an error which one it was.
func (w words) each(key string, fn func(string) error) error {
	for n, word := range w {
		if err := fn(word); err != nil {
			if len(w) > 1 {
				key += "[" + strconv.Itoa(n) + "]"
			}
			return kind.At(key, err)
		}
	}
	return nil
}

// target checks the settings and makes a Target of them.
func (s Selector) target() (Target, error) {
	t := Target{
		Protocol: s.Protocol, Direction: s.Direction, User: s.User, Cgroup: s.Cgroup,
		Netns: s.Netns, Percent: float64(s.Percent), Original: s.Original,
	}
	for _, c := range []struct {
		key, got string
		known    []string
	}{
		{"protocol", t.Protocol, []string{tcp, udp, icmp, allProtocols}},
		{"direction", t.Direction, []string{dirOut, dirIn, dirBoth}},
	} {
		if !slices.Contains(c.known, c.got) {
			return t, kind.At(c.key, fmt.Errorf("%s", kind.UnknownWord(c.key, c.got, c.known)))
		}
	}
	if err := s.Ports.each("ports", func(word string) error {
		ports, err := parsePorts(word)
		t.Ports = append(t.Ports, ports)
		return err
	}); err != nil {
		return t, err
	}
	if err := s.To.each("to", func(word string) error {
		e, err := t.parseEndpoint(word)
		t.To = append(t.To, e)
		return err
	}); err != nil {
		return t, err
	}
	t.From = slices.Clone(s.From)
	if err := s.From.each("from", parseSource); err != nil {
		return t, err
	}
	return t, t.check()
}

// check refuses settings that do not go together.
func (t Target) check() error {
	ports := t.hasPorts()
	switch {
	case len(t.To)+len(t.Ports)+len(t.From) == 0 && t.User == "" && t.Cgroup == "":
		return kind.At("to", errors.New("got nothing, want host:port, such as 10.0.0.7:5432 or [::1]:9002"))
	case t.Protocol == icmp && ports:
		return kind.At("protocol", errors.New("got icmp, which has no ports, want tcp, udp or all, or a target without a port"))
	case t.Percent < 0 || t.Percent > 100 || t.Percent > 0 && t.Percent < 0.01:
		return kind.At("percent", fmt.Errorf("got %v, want a number from 0.01 to 100", t.Percent))
	case t.Percent > 0 && t.Protocol != tcp && t.Protocol != udp:
		return kind.At("percent", fmt.Errorf("got protocol %s beside it, want tcp or udp: a connection is told by its port", t.Protocol))
	case t.Original && len(t.To) == 0:
		return kind.At("original_destination", errors.New("got no target beside it, want to: the virtual address"))
	case t.Cgroup != "" && strings.Contains("/"+t.Cgroup+"/", "/../"):
		return kind.At("cgroup", fmt.Errorf("got %q, want a path below the root of cgroup v2, such as system.slice/shop.service", t.Cgroup))
	}
	return nil
}

// parseEndpoint reads one word of to.
func (t Target) parseEndpoint(text string) (Endpoint, error) {
	if h, err := parseHost(text); err == nil && h != "" { // an address alone has colons of its own
		return t.withoutPort(text, h)
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil && !strings.ContainsAny(text, ":[]") && text != "" {
		return t.withoutPort(text, text)
	}
	if err != nil || host == "" {
		return Endpoint{}, wantHostPort(text)
	}
	ports, err := parsePorts(port)
	if err != nil {
		return Endpoint{}, err
	}
	if h, err := parseHost(host); err != nil {
		return Endpoint{}, err
	} else if h != "" {
		host = h
	}
	return Endpoint{Host: host, Ports: []PortRange{ports}}, nil
}

func (t Target) withoutPort(text, host string) (Endpoint, error) {
	if _, err := parseHost(host); err != nil {
		return Endpoint{}, err
	}
	if len(t.Ports) == 0 && (t.Protocol == tcp || t.Protocol == udp) {
		return Endpoint{}, wantHostPort(text)
	}
	return Endpoint{Host: host}, nil
}

func wantHostPort(text string) error {
	return fmt.Errorf("got %q, want host:port, such as 10.0.0.7:5432 or [::1]:9002 (or the host alone with ports or with protocol all)", text)
}

// parseHost returns the address or prefix that text is, or "" if it is a name.
func parseHost(text string) (string, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.String(), usable(addr)
	}
	if !strings.Contains(text, "/") {
		return "", nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return "", fmt.Errorf("got %q, want a CIDR such as 10.0.0.0/24 or [2001:db8::/32]:443", text)
	}
	if prefix != prefix.Masked() {
		return "", fmt.Errorf("got %s, which has bits beyond its mask, want %s", prefix, prefix.Masked())
	}
	return prefix.String(), nil
}

func parseSource(text string) error {
	h, err := parseHost(text)
	if err != nil || h != "" {
		return err
	}
	if text == "" || strings.ContainsAny(text, ":[] ") {
		return fmt.Errorf("got %q, want an address, a CIDR or a name without a port", text)
	}
	return nil
}

// parsePorts reads 5432 or 9000-9010.
func parsePorts(text string) (PortRange, error) {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 16)
	b, berr := strconv.ParseUint(last, 10, 16)
	switch {
	case err != nil || berr != nil || a == 0:
		return PortRange{}, fmt.Errorf("got port %q, want a number from 1 to 65535, or two such as 9000-9010", text)
	case a > b:
		return PortRange{}, fmt.Errorf("got ports %q, want the smaller number first", text)
	}
	return PortRange{uint16(a), uint16(b)}, nil
}

func usable(addr netip.Addr) error {
	switch {
	case addr.IsUnspecified():
		return fmt.Errorf("got %s, which means every address, want one address", addr)
	case addr.IsMulticast():
		return fmt.Errorf("got %s, a multicast address, want the address of one host", addr)
	case addr.Zone() != "":
		return fmt.Errorf("got %s with a zone, which rules cannot name, want an address without", addr)
	}
	return nil
}
