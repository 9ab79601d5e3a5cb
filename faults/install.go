package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/foreshock/foreshock/internal/nfqueue"
	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
)

// A part is an injection's share in the rules of one family.
type part struct {
	table   *table
	lease   *lease
	roles   []string              // of the rules, in order
	shutAt  int                   // where the lease's rule is among those that say what packets meet
	turn    func(open bool) error // without a lease, what stands in for it
	listing []savedRule           // our chains as the kernel listed them first
}

// A planned rule, its role and whether it is about what selected packets meet.
type planned struct {
	role string
	act  bool
	args []string
}

// chain says in which of a fault's chains the rule is.
func (r planned) chain(first string) string {
	switch {
	case r.act:
		return first + actSuffix
	case r.role == roleControl:
		return first + leaseSuffix
	}
	return first
}

// labelled puts the comment behind what matches: it costs a packet as much as that, and
// most packets need not come so far.
func (r planned) labelled(l label) []string {
	at := slices.IndexFunc(r.args, func(word string) bool { return word == "-j" || word == "-g" })
	if at < 0 { // of one that only counts
		at = len(r.args)
	}
	return slices.Concat(r.args[:at], comment(l.as(r.role)), r.args[at:])
}

// open opens what lives in the namespace beside the rules.
func (i *injection) open(ctx context.Context) error {
	err := i.space.do(context.WithoutCancel(ctx), func() (err error) {
		if i.owner, err = claim(i.chain); err != nil {
			return err
		}
		if i.watch, err = openWatch(); err != nil {
			return err
		}
		if err = i.openQueue(); err != nil {
			return err
		}
		for _, p := range i.parts {
			if p.lease, err = openLease(p.table.family, i.chain, i.label.lease); err != nil {
				return err
			}
		}
		i.watch.batchBy(i.parts[0].lease)
		return nil
	})
	return errors.Join(err, ctx.Err())
}

// install makes the chains and leads to them in one transaction, and then tries that
// they are met: a packet of the lease goes through. What the kernel lists is compared
// with every look at the evidence; to list thousands of rules takes longer than to
// install one.
func (i *injection) install(ctx context.Context, p *part) error {
	rules := i.plan(p)
	if err := p.table.install(ctx, i.transaction(rules), len(i.target.bases())); err != nil {
		return err
	}
	for _, r := range rules {
		p.roles = append(p.roles, r.role)
	}
	met, err := p.lease.send(p.lease.ask)
	if err != nil {
		return results.Blind(results.CauseTool, fmt.Errorf("lease: %w", err))
	}
	if !met {
		return results.Blind(results.CauseTool, errors.New("a trial packet did not meet the rules: loopback is down here (ip link set lo up), or another program's rules come first (nft list ruleset)"))
	}
	return nil
}

// transaction is what installs the rules. The jumps come last, as they come into
// force with all the rest or not at all.
func (i *injection) transaction(rules []planned) *transaction {
	tx := &transaction{}
	for _, name := range chainsOf(i.chain) {
		tx.chain(name)
	}
	for _, r := range rules {
		tx.add("-A", r.chain(i.chain), r.labelled(i.marked()))
	}
	for _, base := range i.target.bases() {
		tx.insert(base, i.jump())
	}
	return tx
}

// removal undoes a transaction.
func (i *injection) removal() *transaction {
	tx := &transaction{}
	for _, base := range i.target.bases() {
		tx.add("-D", base, i.jump())
	}
	for _, verb := range []string{"-F", "-X"} {
		for _, name := range chainsOf(i.chain) {
			tx.add(verb, name, nil)
		}
	}
	return tx
}

// jump leads to our chains. It meets every packet of the host, and a comment would be
// most of what that costs; the chain's name and the comments there tell whose it is.
func (i *injection) jump() []string { return []string{"-j", i.chain} }

func comment(l label) []string { return []string{"-m", "comment", "--comment", l.String()} }

// plan lists the rules chain by chain in the kernel's order. The first leads
// the lease's own packets away and selects those of the target. These the watch sees every attempt, armed or
// not; only while the lease holds does a packet meet the fault.
func (i *injection) plan(p *part) []planned {
	family := p.table.family
	var rules []planned
	if i.divert != nil { // first, or a packet would come again for ever
		rules = append(rules, planned{roleSkip, false, append(nfqueue.Skip(nfqueue.DefaultMark), "-j", "RETURN")})
	}
	rules = append(rules, planned{roleLead, false, append(p.lease.own(), "-g", i.chain+leaseSuffix)})
	watched := i.target.Protocol == tcp || i.target.Protocol == allProtocols
	// Of a packet to this host itself, its way out is enough.
	watch := slices.Concat([]string{"-p", "tcp", "--syn", "!", "-i", "lo"}, notOurs(), i.report(prefixSyn))
	if i.target.Direction == dirIn && i.target.Protocol == tcp || i.target.Arriving {
		// Attempts go the other way than what is broken.
		for _, match := range i.target.tcp().selections(family, dirOut) {
			rules = append(rules, planned{roleWatch, false, slices.Concat(match, watch[2:])})
		}
		watched = false
	}
	for _, direction := range i.target.directions() {
		for _, match := range i.target.selections(family, direction) {
			rules = append(rules, planned{roleSelect, false, append(match, "-g", i.chain+actSuffix)})
		}
	}
	for _, match := range i.target.answers(family) {
		rules = append(rules, planned{roleSelect, false, append(match, "-g", i.chain+actSuffix)})
	}
	if watched {
		rules = append(rules, planned{roleWatch, true, watch})
	}
	rules = append(rules, planned{roleLease, true, p.lease.gate(!i.lack(WithoutLease))})
	p.shutAt = 0
	for _, r := range rules {
		if r.act {
			p.shutAt++
		}
	}
	rules = append(rules, i.faultRules(family)...)
	for _, r := range p.lease.control(i.report(prefixSync), !i.lack(WithoutLease)) {
		rules = append(rules, planned{roleControl, false, r})
	}
	return rules
}

// faultRules are the rules of the fault itself, each with what reports its first packet.
func (i *injection) faultRules(family Family) (rules []planned) {
	for _, r := range i.fault.Rules(family) {
		match := slices.Concat(i.target.only(family), r.Match, i.window())
		if r.Spares {
			rules = append(rules, planned{roleSpare, true, append(match, r.Action...)})
			continue
		}
		if r.Action == nil && i.divert != nil { // the queue knows itself what it met first
			rules = append(rules, planned{roleFault, true, append(match, i.divert...)})
			continue
		}
		once := []string{"-m", "limit", "--limit", "1/day", "--limit-burst", "1"}
		rules = append(rules,
			planned{roleHit, true, slices.Concat(match, once, i.report(prefixHit))},
			planned{roleFault, true, append(match, r.Action...)})
	}
	return rules
}

// notOurs leaves out the connections of Foreshock's own probes, which a queue may have
// marked beside.
func notOurs() []string {
	return []string{"-m", "mark", "!", "--mark", fmt.Sprintf("%#x/%#x", own.Mark, ^uint32(nfqueue.DefaultMark))}
}

func (i *injection) report(prefix string) []string {
	return []string{"-j", "NFLOG", "--nflog-group", strconv.Itoa(int(i.watch.group)), "--nflog-prefix", prefix}
}

// window is the hard end. The kernel's bounds are whole seconds and belong to the
// window, so it closes when its last second is over. Its beginning makes a clock
// that is set back end the fault, not prolong it.
func (i *injection) window() []string {
	if i.lack(WithoutHardEnd) {
		return nil
	}
	const date = "2006-01-02T15:04:05"
	return []string{
		"-m", "time", "--datestart", i.label.since.Format(date),
		"--datestop", i.label.until.Add(-time.Second).Format(date),
	}
}

// jumps says from which chains no jump leads to ours, and which rules of others
// come before one.
func (i *injection) jumps(saved ruleset) (missing, foreign []string) {
	for _, base := range i.target.bases() {
		found := false
		var before []string
		for _, r := range saved.in(base) {
			if r.after("-j") == i.chain {
				found = true
				break
			}
			if !r.leads() {
				before = append(before, base+" "+r.spec())
			}
		}
		if !found {
			missing = append(missing, base)
			continue
		}
		foreign = append(foreign, before...)
	}
	return missing, foreign
}
