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
	Needed bool   // without it no fault can be injected
	Detail string // the version, or why not and how to get it
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
	v4 := in.probeTable(ctx, sp, IPv4, "iptables")
	v6 := in.probeTable(ctx, sp, IPv6, "ip6tables")
	v6[0].Needed = false
	return append(v4, v6[0])
}

func (in *Injector) probeTable(ctx context.Context, sp *space, family Family, name string) []Capability {
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
	for _, p := range trials(chain) {
		c := Capability{Name: p.role, OK: true, Needed: true}
		tx := &transaction{}
		tx.add("-A", chain, p.args)
		if err := t.restore(ctx, tx); err != nil {
			c.OK, c.Detail = false, fmt.Sprintf("%s (try: modprobe xt_%s)", firstLine(err), p.role)
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

// A trial is a rule that no packet meets.
type trial struct {
	role string
	args []string
}

// trials is one rule for each extension of the kernel that faults use.
func trials(chain string) []trial {
	words := func(s string) []string { return append(comment(label{role: roleControl}), strings.Fields(s)...) }
	return []trial{
		{"comment", words("-j RETURN")},
		{"recent", words("-m recent --name " + chain + " --rcheck --seconds 2 -j RETURN")},
		{"string", words("-p udp -m string --algo bm --string probe -j RETURN")},
		{"time", words("-m time --datestart 2030-01-01T00:00:00 --datestop 2030-01-02T00:00:00 -j RETURN")},
		{"mark", words("-m mark ! --mark 1 -j RETURN")},
		{"addrtype", words("-m addrtype --src-type LOCAL -j RETURN")},
		{"limit", words("-m limit --limit 1/day --limit-burst 1 -j RETURN")},
		{"NFLOG", words("-p tcp --syn -j NFLOG --nflog-group 1")},
		{"REJECT", words("-p tcp -j REJECT --reject-with tcp-reset")},
		{"NFQUEUE", words("-p udp -j NFQUEUE --queue-num " + silentQueue)},
	}
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
