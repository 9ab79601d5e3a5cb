package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"time"
)

// A Capability is one thing a fault needs of the machine, and whether it is there.
type Capability struct {
	Name   string
	OK     bool
	Needed bool   // without it no fault can be injected, unless the user does without by name
	For    string // what needs it, if not every fault does
	Detail string // the version, or why not and how to get it

	missable string // the word by which the user does without
}

const probeLimit = 10 * time.Second

// Probe tries what faults need: it makes a chain that no packet passes, tries each
// rule in it and removes it.
func (in *Injector) Probe(ctx context.Context) []Capability {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	sp, err := openSpace(in.Netns)
	if err != nil {
		return []Capability{{Name: "network namespace", Needed: true, Detail: err.Error()}}
	}
	defer sp.close()
	found := in.probeTable(ctx, sp, IPv4)
	v6 := in.probeTable(ctx, sp, IPv6)
	for n, c := range v6 { // of the trials, what IPv6 lacks
		if n == 0 || !c.OK {
			c.Needed, c.For = false, strings.TrimPrefix(c.For+" over IPv6", " ")
			c.Name = strings.Replace(c.Name, "ip6tables", "", 1) + map[bool]string{true: "ip6tables", false: " (IPv6)"}[n == 0]
			found = append(found, c)
		}
	}
	return append(found, in.probeBackends(ctx, sp))
}

// probeBackends looks whether both backends hold rules.
func (in *Injector) probeBackends(ctx context.Context, sp *space) Capability {
	c := Capability{Name: "one backend", OK: true, For: "faults that no other rules outrun"}
	for _, family := range []Family{IPv4, IPv6} {
		t, err := in.table(sp, family)
		if err != nil {
			continue // that is told already
		}
		warning, err := in.foreignBackend(ctx, t)
		if err != nil {
			warning = err.Error()
		}
		if warning != "" {
			c.OK, c.Detail = false, warning
		}
	}
	return c
}

func (in *Injector) probeTable(ctx context.Context, sp *space, family Family) []Capability {
	name := map[Family]string{IPv4: "iptables", IPv6: "ip6tables"}[family]
	t, err := in.table(sp, family)
	if err != nil {
		return []Capability{{Name: name, Needed: true, Detail: err.Error()}}
	}
	found := []Capability{{Name: name, OK: true, Needed: true, Detail: t.version(ctx)}}
	chain := newChainName("probe")
	var owner net.PacketConn
	err = sp.do(context.WithoutCancel(ctx), func() (err error) {
		owner, err = claim(chain)
		return err
	})
	if err == nil {
		defer func() { _ = owner.Close() }()
		err = t.restore(ctx, &transaction{[]string{":" + chain + " - [0:0]"}})
	}
	if err != nil {
		found[0].OK, found[0].Detail = false, err.Error()
		return found
	}
	defer func() { _ = t.remove(context.WithoutCancel(ctx), chain) }() // empty or inert; Sweep finds it
	for _, p := range trials(chain, family) {
		c := Capability{Name: p.name, OK: true, Needed: p.uses == "", For: p.uses, missable: p.missable}
		tx := &transaction{}
		tx.add("-A", chain, append(comment(label{role: roleControl}), p.rule...))
		err := t.restore(ctx, tx)
		if refused, ok := errors.AsType[*refusedError](err); ok {
			err = refused.err // the rule is of no interest
		}
		if err == nil && p.name == trialCgroup {
			err = findCgroup("/")
		}
		if err != nil {
			c.OK, c.Detail = false, fmt.Sprintf("%s (try: modprobe xt_%s)", firstLine(err), strings.Fields(p.name)[0])
		}
		found = append(found, c)
	}
	c := Capability{Name: "nflog listener", OK: true, Needed: true}
	err = sp.do(ctx, func() error {
		w, err := openWatch()
		if err == nil {
			w.close()
		}
		return err
	})
	if err != nil {
		c.OK, c.Detail = false, err.Error()
	}
	return append(found, c, probeQueue(ctx, sp))
}

// version is what the command says of itself, such as iptables v1.8.9 (nf_tables).
func (t *table) version(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, t.path, "--version").Output() //nolint:gosec // the iptables that was found
	if err != nil {
		return errors.Join(errors.New("version unknown"), err).Error()
	}
	return strings.TrimSpace(string(out))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
