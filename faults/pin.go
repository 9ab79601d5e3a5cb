package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

const (
	resolveLimit = 5 * time.Second

	// portsMax is how many ports one rule can name, a range counting twice.
	portsMax = 15
)

// A pinned target is one whose names were looked up: what they say later does not count.
type pinned struct {
	Target
	hosts []pinnedHost
	from  []netip.Prefix // empty means anybody
	uid   string
	seed  uint32 // of the choice of connections
}

type pinnedHost struct {
	prefix netip.Prefix // invalid means any
	ports  []PortRange
}

func (h pinnedHost) of(f Family) bool { return !h.prefix.IsValid() || familyOf(h.prefix.Addr()) == f }

// String gives the address, or the prefix where it is more than one address.
func (h pinnedHost) String() string {
	switch {
	case !h.prefix.IsValid():
		return "*"
	case h.prefix.IsSingleIP():
		return h.prefix.Addr().String()
	}
	return h.prefix.String()
}

// pin looks up the names of hosts and users.
func (t Target) pin(ctx context.Context) (p pinned, err error) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	if t.Processes != "" { // without addresses, all packets would be meant
		return p, fmt.Errorf("fault target %s: got processes, want packets", t)
	}
	p = pinned{Target: t, seed: rand.Uint32()} //nolint:gosec // which connections are met is no secret
	for _, e := range t.To {
		found, err := lookUp(ctx, e.Host)
		if err != nil {
			return p, fmt.Errorf("fault target %s: %w", t, kind.At("to", err))
		}
		for _, prefix := range found {
			p.hosts = append(p.hosts, pinnedHost{prefix, t.portsOf(e)})
		}
	}
	if len(t.To) == 0 {
		p.hosts = []pinnedHost{{ports: t.Ports}}
	}
	for _, name := range t.From {
		found, err := lookUp(ctx, name)
		if err != nil {
			return p, fmt.Errorf("fault target %s: %w", t, kind.At("from", err))
		}
		p.from = append(p.from, found...)
	}
	if t.User != "" {
		if p.uid, err = uidOf(t.User); err != nil {
			return p, kind.At("user", err)
		}
	}
	if t.Cgroup != "" {
		if err = findCgroup(t.Cgroup); err != nil {
			return p, kind.At("cgroup", err)
		}
	}
	if len(p.families()) == 0 {
		return p, kind.At("from", errors.New("no address of it has the IP version of an address of the target"))
	}
	return p, nil
}

func lookUp(ctx context.Context, host string) ([]netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(host); err == nil {
		return []netip.Prefix{prefix.Masked()}, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Prefix{single(addr)}, nil
	}
	found, err := (&net.Resolver{}).LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, a := range found {
		if err := usable(a.Unmap()); err != nil {
			return nil, err
		}
		out = append(out, single(a))
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.Compact(out), nil
}

func single(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen())
}

func uidOf(name string) (string, error) {
	if _, err := strconv.ParseUint(name, 10, 32); err == nil {
		return name, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return "", fmt.Errorf("got %q, want a user of this host, by name or number: %w", name, err)
	}
	return u.Uid, nil
}

func familyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// families are those that the target has addresses of.
func (p pinned) families() []Family {
	var out []Family
	for _, f := range []Family{IPv4, IPv6} {
		to := slices.ContainsFunc(p.hosts, func(h pinnedHost) bool { return h.of(f) })
		if to && (len(p.from) == 0 || len(p.sources(f)) > 0) {
			out = append(out, f)
		}
	}
	return out
}

func (p pinned) sources(f Family) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(p.from), func(a netip.Prefix) bool { return familyOf(a.Addr()) != f })
}

// resolved names what was pinned.
func (p pinned) resolved() []string {
	var out []string
	for _, h := range p.hosts {
		out = append(out, h.String())
	}
	return slices.Compact(out)
}

// selections are the matches of one direction: a packet that meets any is selected.
func (p pinned) selections(f Family, direction string) [][]string {
	sources := p.sources(f)
	if len(p.from) == 0 {
		sources = []netip.Prefix{{}}
	}
	var out [][]string
	for _, protocol := range p.protocols() {
		for _, h := range p.hosts {
			if !h.of(f) {
				continue
			}
			for _, ports := range chunks(h.ports, p.Original) {
				for _, from := range sources {
					out = append(out, slices.Concat(
						protocolMatch(protocol, f),
						p.address(h.prefix, from, ports, direction),
						p.senders(), p.picked(f, direction)))
				}
			}
		}
	}
	return out
}

// tcp is the target narrowed to TCP.
func (p pinned) tcp() pinned {
	p.Protocol = tcp
	return p
}

// answers are the matches of what comes back to this host from elsewhere, where that is
// met in place of what it sends.
func (p pinned) answers(f Family) [][]string {
	if !p.Arriving {
		return nil
	}
	back := dirIn
	if p.Direction == dirIn {
		back = dirOut
	}
	out := p.tcp().selections(f, back)
	for n := range out {
		out[n] = append(out[n], "-m", "addrtype", "!", "--src-type", "LOCAL", "--dst-type", "LOCAL")
	}
	return out
}

// chunks cuts ports into what one rule can name.
func chunks(ports []PortRange, one bool) [][]PortRange {
	if len(ports) == 0 {
		return [][]PortRange{nil}
	}
	size := portsMax / 2
	if one {
		size = 1
	}
	return slices.Collect(slices.Chunk(ports, size))
}

func (p pinned) address(to, from netip.Prefix, ports []PortRange, direction string) []string {
	there, back, port := "-d", "-s", "--dport"
	if direction == dirIn {
		there, back, port = "-s", "-d", "--sport"
	}
	var args []string
	if from.IsValid() && from.Bits() > 0 {
		args = append(args, back, from.String())
	}
	if p.Original {
		args = append(args, "-m", "conntrack", "--ctorigdst", to.String())
		for _, r := range ports {
			args = append(args, "--ctorigdstport", r.join(":"))
		}
		return append(args, "--ctdir", map[bool]string{true: "REPLY", false: "ORIGINAL"}[direction == dirIn])
	}
	if to.IsValid() && to.Bits() > 0 {
		args = append(args, there, to.String())
	}
	switch len(ports) {
	case 0:
	case 1:
		args = append(args, port, ports[0].join(":"))
	default:
		var list []string
		for _, r := range ports {
			list = append(list, r.join(":"))
		}
		args = append(args, "-m", "multiport", port+"s", strings.Join(list, ","))
	}
	return args
}

func (r PortRange) join(sep string) string {
	if r.First == r.Last {
		return r.String()
	}
	return fmt.Sprintf("%d%s%d", r.First, sep, r.Last)
}

// senders narrows to packets of one user or cgroup.
func (p pinned) senders() []string {
	var args []string
	if p.uid != "" {
		args = append(args, "-m", "owner", "--uid-owner", p.uid)
	}
	if p.Cgroup != "" {
		args = append(args, "-m", "cgroup", "--path", p.Cgroup)
	}
	return args
}

// directions are the ways of the packets that rules are made for.
func (p pinned) directions() []string {
	if p.Direction == dirBoth {
		return []string{dirOut, dirIn}
	}
	return []string{p.Direction}
}
