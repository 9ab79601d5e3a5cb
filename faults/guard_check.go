package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/pause"
)

// The words of a Guard's refusals, each of which Guard.Allow overrides.
const (
	RefuseEverything = "everything" // neither a host nor a port, or a process on which all others hang
	RefuseSSH        = "ssh"        // would cut a remote shell, or stop its server
	RefuseOwn        = "own"        // would cut or stop Foreshock itself
	RefuseDNS        = "dns"        // would cut or stop this host's own resolver
	RefuseHeld       = "held"       // another run broke the target already
	RefuseLong       = "long"       // longer than the configured maximum
)

// Refusals lists the words.
func Refusals() []string {
	return []string{RefuseEverything, RefuseSSH, RefuseOwn, RefuseDNS, RefuseHeld, RefuseLong}
}

// ErrRefused marks a fault that a guard refused, or processes that nothing overrides.
var ErrRefused = pause.ErrRefused

// A Refusal is why a guard refused a fault.
type Refusal struct {
	Word   string // what overrides it
	Reason string
}

// Error names the reason and the override.
func (r *Refusal) Error() string {
	return fmt.Sprintf("refused: %s (to do it all the same: --allow %s)", r.Reason, r.Word)
}

// Is reports that a Refusal is [ErrRefused].
func (r *Refusal) Is(target error) bool { return target == ErrRefused }

// DefaultMaximum is how long a fault may last where nothing else is configured.
const DefaultMaximum = time.Hour

// A Guard refuses faults that would hurt whoever injects them. The zero value refuses
// all that it can know of by itself.
type Guard struct {
	Injector *Injector        // where to look; nil: the caller's namespace
	SSH      string           // the caller's SSH_CONNECTION, if there is one
	Own      []netip.AddrPort // Foreshock's API, its database, its agents
	Maximum  time.Duration    // until the hard end; 0 means DefaultMaximum
	Allow    []string         // refusals to leave out
}

// A look is one reason for a refusal: empty if it does not hold.
type look struct {
	word string
	look func() (reason string, err error)
}

// Check returns nil, or every [Refusal] of the fault, joined, or why it could not look.
// Of processes, some are [ErrRefused] without an override.
func (g Guard) Check(ctx context.Context, f Fault, o Options) error {
	if p, ok := f.(onProcesses); ok {
		return g.checkProcesses(ctx, p, o)
	}
	in := cmp.Or(g.Injector, &Injector{})
	p, err := f.Target().pin(ctx)
	if err != nil {
		return err
	}
	sp, err := openSpace(cmp.Or(p.Netns, in.Netns))
	if err != nil {
		return err
	}
	defer sp.close()
	looks := []look{{RefuseLong, func() (string, error) { return g.long(o.Until), nil }}}
	if Breaks(f) {
		looks = append([]look{
			{RefuseEverything, func() (string, error) { return p.everything(), nil }},
			{RefuseSSH, func() (string, error) { return g.ssh(ctx, sp, p) }},
			{RefuseOwn, func() (string, error) { return g.own(ctx, sp, p) }},
			{RefuseDNS, func() (string, error) { return p.resolver(), nil }},
			{RefuseHeld, func() (string, error) { return g.held(ctx, in, p, o.Run) }},
		}, looks...)
	}
	return g.refusals(looks)
}

// refusals looks for every reason that is not overridden.
func (g Guard) refusals(looks []look) error {
	var found []error
	for _, l := range looks {
		if slices.Contains(g.Allow, l.word) {
			continue
		}
		reason, err := l.look()
		switch {
		case err != nil:
			return fmt.Errorf("guard: %s: %w", l.word, err)
		case reason != "":
			found = append(found, &Refusal{l.word, reason})
		}
	}
	return errors.Join(found...)
}

// everythingBits is the longest prefix that counts as everybody.
const everythingBits = 7

func (p pinned) everything() string {
	wide := slices.ContainsFunc(p.hosts, func(h pinnedHost) bool {
		return len(h.ports) == 0 && (!h.prefix.IsValid() || h.prefix.Bits() <= everythingBits)
	})
	if !wide {
		return ""
	}
	return "names neither a host nor a port, and so would break everything"
}

// ssh looks for the caller's own shell, any server of shells on this host, open shells
// from here to elsewhere, and the port that shells are served on.
func (g Guard) ssh(ctx context.Context, sp *space, p pinned) (string, error) {
	if f := strings.Fields(g.SSH); len(f) == 4 {
		client, err := netip.ParseAddrPort(joinHostPort(f[0], f[1]))
		server, serr := netip.ParseAddrPort(joinHostPort(f[2], f[3]))
		if err := errors.Join(err, serr); err != nil {
			return "", fmt.Errorf("SSH_CONNECTION: got %q, want two addresses and ports: %w", g.SSH, err)
		}
		if p.meets(tcp, client, server) || p.meets(tcp, server, client) {
			return fmt.Sprintf("would cut the ssh connection that you came by (%s to %s)", client, server), nil
		}
	}
	all, err := sockets(ctx, sp)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		switch {
		case c.Listens && c.Local.Port() == sshPort:
			cut, err := reached(ctx, sp, p, c.Local)
			if err != nil || cut.IsValid() {
				return fmt.Sprintf("would cut ssh: a server listens on %s", c.Local), err
			}
		case (c.Local.Port() == sshPort || c.Remote.Port() == sshPort) && p.touches(c):
			return fmt.Sprintf("would cut an ssh connection that is open (%s)", c), nil
		}
	}
	if p.namesPort(tcp, sshPort) {
		return fmt.Sprintf("would cut ssh: it names port %d, by which somebody may come in, here or there", sshPort), nil
	}
	return "", nil
}

// sshPort is where shells are served by convention.
const sshPort = 22

// namesPort says that the settings name a port of a protocol, wherever.
func (p pinned) namesPort(protocol string, port uint16) bool {
	return (p.Protocol == protocol || p.Protocol == allProtocols) && slices.ContainsFunc(p.hosts, func(h pinnedHost) bool {
		return slices.ContainsFunc(h.ports, func(r PortRange) bool { return r.has(port) })
	})
}

func joinHostPort(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

func (g Guard) own(ctx context.Context, sp *space, p pinned) (string, error) {
	for _, a := range g.Own {
		cut, err := reached(ctx, sp, p, a)
		if err != nil || cut.IsValid() {
			return fmt.Sprintf("would cut Foreshock's own %s", a), err
		}
	}
	return "", nil
}

// reached finds the address behind which the target's packets reach a listener, which
// may listen on every address of the host.
func reached(ctx context.Context, sp *space, p pinned, a netip.AddrPort) (netip.AddrPort, error) {
	addrs := []netip.Addr{a.Addr().Unmap()}
	if a.Addr().IsUnspecified() {
		var err error
		if addrs, err = localAddrs(ctx, sp); err != nil {
			return netip.AddrPort{}, err
		}
	}
	for _, addr := range addrs {
		server := netip.AddrPortFrom(addr, a.Port())
		if p.meets(tcp, netip.AddrPort{}, server) {
			return server, nil
		}
	}
	return netip.AddrPort{}, nil
}

// resolver looks whether questions to a resolver on this host would be met: then no
// name resolves, for any program.
func (p pinned) resolver() string {
	const port = 53
	for _, text := range []string{"127.0.0.53", "127.0.0.54", "127.0.0.1", "127.0.0.11", "::1"} {
		server := netip.AddrPortFrom(netip.MustParseAddr(text), port)
		if p.meets(udp, netip.AddrPort{}, server) || p.meets(tcp, netip.AddrPort{}, server) {
			return fmt.Sprintf("would cut this host's own resolver (%s)", server)
		}
	}
	return ""
}

// held looks for another run's fault on the same packets.
func (g Guard) held(ctx context.Context, in *Injector, p pinned, run string) (string, error) {
	there := *in
	there.Netns = cmp.Or(p.Netns, in.Netns)
	list, err := there.List(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range list {
		if a.Run == run || !a.Owned {
			continue
		}
		if slices.ContainsFunc(a.selects, p.overlaps) {
			return fmt.Sprintf("run %s holds a fault on the same target (%s of %s until %s)", a.Run, a.Kind, a.To, a.Until.Format(time.RFC3339)), nil
		}
	}
	return "", nil
}

func (g Guard) long(until time.Time) string {
	most := cmp.Or(g.Maximum, DefaultMaximum)
	if left := time.Until(until); left > most {
		return fmt.Sprintf("would last %v, longer than the maximum of %v", left.Round(time.Second), most)
	}
	return ""
}
