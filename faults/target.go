package faults

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

const (
	tcp = "tcp"
	udp = "udp"

	resolveLimit = 5 * time.Second
)

// A Target is where the broken packets go.
type Target struct {
	Protocol string // tcp or udp
	Host     string // an address or a name
	Port     uint16
}

// String gives host:port, with brackets around an IPv6 address.
func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// parseTarget reads the settings to and protocol that every kind has.
func parseTarget(to, protocol string) (Target, error) {
	if protocol != tcp && protocol != udp {
		return Target{}, kind.At("protocol", fmt.Errorf("%s", kind.UnknownWord("protocol", protocol, []string{tcp, udp})))
	}
	host, text, err := net.SplitHostPort(to)
	if err != nil || host == "" {
		return Target{}, kind.At("to", fmt.Errorf("got %q, want host:port, such as 10.0.0.7:5432 or [::1]:9002", to))
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return Target{}, kind.At("to", fmt.Errorf("got port %q, want a number from 1 to 65535", text))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if err := usable(addr); err != nil {
			return Target{}, kind.At("to", err)
		}
	}
	return Target{Protocol: protocol, Host: host, Port: uint16(port)}, nil
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

// resolve pins the target's addresses: what the name says later does not count.
func (t Target) resolve(ctx context.Context) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(t.Host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	found, err := (&net.Resolver{}).LookupNetIP(ctx, "ip", t.Host)
	if err != nil {
		return nil, fmt.Errorf("fault target %s: %w", t, err)
	}
	var addrs []netip.Addr
	for _, a := range found {
		a = a.Unmap()
		if err := usable(a); err != nil {
			return nil, fmt.Errorf("fault target %s: %w", t, err)
		}
		addrs = append(addrs, a)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs), nil
}

func familyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}
