package faults

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

const (
	chainPrefix = "FS-"

	// cleanupLimit bounds the removal of rules, which goes on when a context has ended.
	cleanupLimit = 10 * time.Second

	// lastSecond is where the kernel's dates end.
	lastSecond = 1<<31 - 1
)

// An Injector installs faults on this machine and finds those that are there. The
// zero value works in the caller's network namespace with the default iptables.
type Injector struct {
	Netns  string // a network namespace: NAME under /run/netns, pid:N, container:ID or a path; "" is the caller's own
	Suffix string // of the commands: nft or legacy for iptables-nft or iptables-legacy; "" is iptables
	Audit  *Audit // where every fault is written down; nil: nowhere
}

// Install puts a fault into the kernel, disarmed, and starts to watch for attempts; of
// a fault of processes it finds and pins these.
// The namespace is that of the caller's thread, whatever thread later calls come from.
// Of faults that share a target, the one installed last decides and watches.
// On an error nothing is left behind; it is unknown by its status, never critical.
func (in *Injector) Install(ctx context.Context, f Fault, o Options) (_ Injection, err error) { //nolint:ireturn // an agent's injection will be another
	if p, ok := f.(onProcesses); ok {
		return in.installProcesses(ctx, p, o)
	}
	l, err := newLabel(f, o, time.Now())
	if err != nil {
		return nil, err
	}
	target, err := f.Target().pin(ctx)
	if err != nil {
		return nil, err
	}
	i := &injection{fault: f, label: l, target: target, chain: newChainName(o.Run), why: o.Why, without: o.Without, audit: in.Audit}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("install %s of %s: %w", f.Kind(), f.Target(), err), i.remove(ctx))
			i.release()
			err = errors.Join(err, in.Audit.write(i.entry(auditInstall, err)))
		}
	}()
	if i.space, err = openSpace(cmp.Or(target.Netns, in.Netns)); err != nil {
		return nil, err
	}
	for _, family := range target.families() {
		p := &part{}
		if p.table, err = in.table(i.space, family); err != nil {
			return nil, err
		}
		i.parts = append(i.parts, p)
	}
	if err = i.open(ctx); err != nil {
		return nil, err
	}
	for _, p := range i.parts {
		if err = in.installPart(ctx, i, p); err != nil {
			return nil, err
		}
	}
	if err = in.Audit.write(i.entry(auditInstall, nil)); err != nil {
		return nil, err
	}
	return i, nil
}

// installPart installs one family's share. Where the kernel refused a rule because it
// lacks what the user can do without, it tries again without that.
func (in *Injector) installPart(ctx context.Context, i *injection, p *part) error {
	err := i.install(ctx, p)
	if _, refused := errors.AsType[*refusedError](err); refused {
		found := in.probeTable(ctx, i.space, p.table.family)
		lacks, missing := i.lacking(found)
		if missing == nil && len(lacks) > 0 {
			i.lacks = lacks
			i.evidence.Warnings = append(i.evidence.Warnings, i.warnings()...)
			err = i.install(ctx, p)
		}
		if err != nil {
			err = errors.Join(err, missing, notes(found))
		}
	}
	if err != nil {
		return err
	}
	if i.lack(WithoutLease) {
		p.turn = i.turner(ctx, p)
	}
	warning, err := in.foreignBackend(ctx, p.table)
	if warning != "" {
		i.evidence.Warnings = append(i.evidence.Warnings, warning)
	}
	return err
}

func newLabel(f Fault, o Options, now time.Time) (label, error) {
	if o.Lease == 0 {
		o.Lease = DefaultLease
	}
	t := f.Target()
	l := label{
		run: o.Run, name: o.Name, where: o.Location, kind: f.Kind(), proto: t.Protocol, to: t.String(),
		since: now.Truncate(time.Second).UTC(), until: o.Until.Truncate(time.Second).UTC(), lease: o.Lease,
	}
	switch {
	case o.Run == "":
		return l, kind.At("run", errors.New("got none, want the id of the run that asks for the fault"))
	case o.Lease < time.Second || o.Lease%time.Second != 0:
		return l, kind.At("lease", fmt.Errorf("got %v, want whole seconds, at least 1s", o.Lease))
	case slices.ContainsFunc(o.Without, func(word string) bool { return !slices.Contains(Missables(), word) }):
		return l, kind.At("accept_missing", fmt.Errorf("got %q, want some of %q", o.Without, Missables()))
	case l.until.Sub(now) <= 0:
		return l, kind.At("until", fmt.Errorf("got %v, want a time at least a second ahead", o.Until.Format(time.RFC3339)))
	case l.until.Unix() > lastSecond:
		return l, kind.At("until", fmt.Errorf("got %v, want a time before 2038-01-19, where the kernel's dates end", o.Until.Format(time.RFC3339)))
	}
	return l, l.check()
}

// newChainName makes a name that the run can be told by and that nobody else has.
func newChainName(run string) string {
	sum := sha256.Sum256([]byte(run))
	return chainPrefix + hex.EncodeToString(sum[:4]) + "-" + strings.ToLower(rand.Text()[:8])
}

// ownerName is the abstract socket whose existence says that a chain's owner lives:
// it is bound to the network namespace, and goes when its process does.
func ownerName(chain string) string { return "@foreshock/" + chain }

func claim(chain string) (net.PacketConn, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: ownerName(chain), Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", chain, err)
	}
	return conn, nil
}
