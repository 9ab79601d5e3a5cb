package faults

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/own"
)

// A part is an injection's share in the rules of one family.
type part struct {
	table   *table
	addrs   []netip.Addr
	lease   *lease
	listing []savedRule // the chain as the kernel listed it when it was new
}

// A planned rule and its role.
type planned struct {
	role string
	args []string
}

// refusedError is of a rule that the kernel or iptables did not take.
type refusedError struct {
	rule []string
	err  error
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("rule %q refused: %v", strings.Join(e.rule, " "), e.err)
}
func (e *refusedError) Unwrap() error { return e.err }

// open opens what lives in the namespace beside the rules.
func (i *injection) open(ctx context.Context) error {
	err := i.space.do(context.WithoutCancel(ctx), func() (err error) {
		if i.owner, err = claim(i.chain); err != nil {
			return err
		}
		if i.watch, err = openWatch(); err != nil {
			return err
		}
		for _, p := range i.parts {
			if p.lease, err = openLease(p.table.family, i.chain, i.label.lease); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, ctx.Err())
}

// install fills a chain that nothing leads to, and then leads to it, and looks that
// all stands as it should.
func (i *injection) install(ctx context.Context, p *part) error {
	if err := p.table.newChain(ctx, i.chain); err != nil {
		return err
	}
	rules := i.plan(p)
	for _, r := range rules {
		args := append(comment(i.label.as(r.role)), r.args...)
		if err := p.table.appendTo(ctx, i.chain, args); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &refusedError{r.args, err}
		}
	}
	for _, base := range baseChains() {
		args := append(comment(i.label.as(roleJump)), "-j", i.chain)
		if err := p.table.insert(ctx, base, args); err != nil {
			return err
		}
	}
	saved, err := p.table.read(ctx)
	if err != nil {
		return err
	}
	p.listing = saved.in(i.chain)
	if len(p.listing) != len(rules) {
		return fmt.Errorf("chain %s: got %d rules in the kernel, want %d", i.chain, len(p.listing), len(rules))
	}
	missing, foreign := i.jumps(saved)
	if len(missing) > 0 || len(foreign) > 0 {
		return fmt.Errorf("chain %s: not first: no jump from %v, foreign rules before it %q", i.chain, missing, foreign)
	}
	return nil
}

func comment(l label) []string { return []string{"-m", "comment", "--comment", l.String()} }

// plan lists the rules of the chain: the watch sees every attempt, armed or not;
// then the lease is set or taken; only while it holds does a packet meet the fault.
func (i *injection) plan(p *part) []planned {
	var rules []planned
	target := i.fault.Target()
	port := strconv.Itoa(int(target.Port))
	to := func(a netip.Addr) []string {
		return []string{"-p", target.Protocol, "-d", a.String(), "--dport", port}
	}
	if target.Protocol == tcp {
		for _, a := range p.addrs {
			rules = append(rules, planned{roleWatch, slices.Concat(to(a), []string{"--syn"}, notOurs(), i.report(prefixSyn))})
		}
	}
	for _, r := range p.lease.control() {
		rules = append(rules, planned{roleControl, r})
	}
	rules = append(rules, planned{roleLease, p.lease.gate()})
	for _, a := range p.addrs {
		for _, r := range i.fault.Rules(p.table.family) {
			match := slices.Concat(to(a), r.Match, i.window())
			once := []string{"-m", "limit", "--limit", "1/day", "--limit-burst", "1"}
			rules = append(rules,
				planned{roleHit, slices.Concat(match, once, i.report(prefixHit))},
				planned{roleFault, slices.Concat(match, r.Action)})
		}
	}
	return rules
}

// notOurs leaves out the connections of Foreshock's own probes.
func notOurs() []string { return []string{"-m", "mark", "!", "--mark", fmt.Sprintf("%#x", own.Mark)} }

func (i *injection) report(prefix string) []string {
	return []string{"-j", "NFLOG", "--nflog-group", strconv.Itoa(int(i.watch.group)), "--nflog-prefix", prefix}
}

// window is the hard end. The kernel's bounds are whole seconds and belong to the
// window, so it closes when its last second is over. Its beginning makes a clock
// that is set back end the fault, not prolong it.
func (i *injection) window() []string {
	const date = "2006-01-02T15:04:05"
	return []string{
		"-m", "time", "--datestart", i.label.since.Format(date),
		"--datestop", i.label.until.Add(-time.Second).Format(date),
	}
}

// jumps says from which chains no jump leads to ours, and which rules of others
// come before one.
func (i *injection) jumps(saved ruleset) (missing, foreign []string) {
	for _, base := range baseChains() {
		found := false
		var before []string
		for _, r := range saved.in(base) {
			if r.after("-j") == i.chain {
				found = true
				break
			}
			if l, ours := r.label(); !ours || l.role != roleJump {
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
