package faults

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Connection is a TCP socket of this host, or a listener, whose remote side is then
// all zero.
type Connection struct {
	Local   netip.AddrPort `json:"local"`
	Remote  netip.AddrPort `json:"remote"`
	UID     uint32         `json:"uid"`
	Listens bool           `json:"listens,omitempty"`
}

// String gives local -> remote.
func (c Connection) String() string {
	if c.Listens {
		return c.Local.String() + " (listens)"
	}
	return c.Local.String() + " -> " + c.Remote.String()
}

// tcpListen is the state of a listener in /proc/net/tcp; tcpTimeWait one whose process is done.
const (
	tcpListen   = "0A"
	tcpTimeWait = "06"
)

// sockets lists the TCP sockets in a namespace.
func sockets(ctx context.Context, sp *space) ([]Connection, error) {
	return learn(ctx, sp, func() (all []Connection, err error) {
		for _, file := range []string{"tcp", "tcp6"} {
			text, err := os.ReadFile("/proc/thread-self/net/" + file) //nolint:gosec // one of the two above
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			found, err := parseSockets(string(text))
			if err != nil {
				return nil, fmt.Errorf("/proc/net/%s: %w", file, err)
			}
			all = append(all, found...)
		}
		return all, nil
	})
}

func parseSockets(text string) ([]Connection, error) {
	const local, remote, state, uid = 1, 2, 3, 7
	var out []Connection
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) <= uid || f[0] == "sl" || f[state] == tcpTimeWait {
			continue
		}
		c := Connection{Listens: f[state] == tcpListen}
		var errs [3]error
		c.Local, errs[0] = parseSocketAddr(f[local])
		c.Remote, errs[1] = parseSocketAddr(f[remote])
		n, err := strconv.ParseUint(f[uid], 10, 32)
		c.UID, errs[2] = uint32(n), err
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// parseSocketAddr reads an address in words of the machine's byte order, such as
// 0100007F:1F90 for 127.0.0.1:8080.
func parseSocketAddr(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	n, perr := strconv.ParseUint(port, 16, 16)
	if err != nil || perr != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, fmt.Errorf("got socket address %q, want hexadecimal address:port", text)
	}
	for at := 0; at < len(b); at += 4 {
		binary.NativeEndian.PutUint32(b[at:], binary.BigEndian.Uint32(b[at:]))
	}
	addr, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}

// localAddrs are the addresses of a namespace's interfaces.
func localAddrs(ctx context.Context, sp *space) ([]netip.Addr, error) {
	return learn(ctx, sp, func() (all []netip.Addr, err error) {
		found, err := net.InterfaceAddrs()
		for _, a := range found {
			if p, perr := netip.ParsePrefix(a.String()); perr == nil {
				all = append(all, p.Addr().Unmap())
			}
		}
		return all, err
	})
}

// meets says that packets between a client and a server are the target's, in either
// direction. An invalid client is any.
func (p pinned) meets(protocol string, client, server netip.AddrPort) bool {
	if p.Protocol != allProtocols && p.Protocol != protocol {
		return false
	}
	if len(p.from) > 0 && client.IsValid() && !slices.ContainsFunc(p.from, func(f netip.Prefix) bool { return f.Contains(client.Addr()) }) {
		return false
	}
	return slices.ContainsFunc(p.hosts, func(h pinnedHost) bool {
		if h.prefix.IsValid() && !h.prefix.Contains(server.Addr()) {
			return false
		}
		return len(h.ports) == 0 || slices.ContainsFunc(h.ports, func(r PortRange) bool { return r.has(server.Port()) })
	})
}

// touches says that a connection's packets are the target's, whichever side is the client.
func (p pinned) touches(c Connection) bool {
	if c.Listens || p.uid != "" && p.uid != strconv.FormatUint(uint64(c.UID), 10) {
		return false
	}
	return p.meets(tcp, c.Local, c.Remote) || p.meets(tcp, c.Remote, c.Local)
}
