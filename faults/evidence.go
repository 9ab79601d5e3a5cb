package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Attempts implements [Injection].
func (i *injection) Attempts(ctx context.Context, skip int) ([]Attempt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if skip < 0 {
		return nil, fmt.Errorf("attempts: got skip %d, want 0 or more", skip)
	}
	i.watch.sync()
	i.watch.mu.Lock()
	defer i.watch.mu.Unlock()
	all := i.watch.attempts
	found := slices.Clone(all[min(skip, len(all)):])
	if i.watch.lost {
		return found, ErrLost
	}
	return found, nil
}

// Evidence implements [Injection].
func (i *injection) Evidence(ctx context.Context) (Evidence, error) {
	i.reads.Lock()
	defer i.reads.Unlock()
	err := i.observe(ctx)
	i.mu.Lock()
	defer i.mu.Unlock()
	e := i.evidence
	e.Spans, e.Foreign, e.Warnings = slices.Clone(e.Spans), slices.Clone(e.Foreign), slices.Clone(e.Warnings)
	return e, err
}

// shown are the rules that the evidence lists.
var shown = []string{roleSelect, roleLease, roleSpare, roleFault} //nolint:gochecknoglobals // a constant

// observe brings the evidence up to date, unless all has been removed; i.reads is held.
// The rules are read without the lock that a renewal of the lease needs: on a busy machine
// that takes longer than a lease.
func (i *injection) observe(ctx context.Context) error {
	i.mu.Lock()
	closed := i.closed
	i.mu.Unlock()
	if closed {
		return nil
	}
	i.watch.sync()
	saved, packets, err := i.readRules(ctx)
	i.mu.Lock()
	defer i.mu.Unlock()
	e := &i.evidence
	e.Kind, e.To, e.Chain, e.Unit = i.fault.Kind(), i.fault.Target().String(), i.chain, unitPackets
	e.Rules, e.Foreign = nil, nil
	e.Resolved = i.target.resolved()
	i.watch.mu.Lock()
	e.Attempts, e.Lost, e.FirstHit = uint64(len(i.watch.attempts)), i.watch.lost, i.watch.firstHit
	i.watch.mu.Unlock()

	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	for n, p := range i.parts {
		i.compare(p, saved[n])
		for _, r := range p.listing {
			if l, ours := r.label(); ours && slices.Contains(shown, l.role) {
				e.Rules = append(e.Rules, r.bare())
			}
		}
	}
	if packets < i.counted {
		i.tampered("the counters of the rules went back")
	}
	i.counted = max(i.counted, packets)
	e.Packets = i.counted
	i.observeQueue()
	return nil
}

// counterReads is how often counters are read anew that seem to have gone back.
const counterReads = 5

// readRules reads the rules of all parts, and what was counted by those of the fault.
// The older backend replaces a whole table and then adds what had been counted: who reads
// in between finds zeros, whoever made the change.
func (i *injection) readRules(ctx context.Context) (all []ruleset, packets uint64, err error) {
	for range counterReads {
		all, packets = nil, 0
		for _, p := range i.parts {
			saved, err := p.table.read(ctx, append(chainsOf(i.chain), i.target.bases()...)...)
			if err != nil {
				return nil, 0, err
			}
			all = append(all, saved)
			for _, r := range saved.of(i.chain) {
				if l, ours := r.label(); ours && l.role == roleFault {
					packets += r.packets
				}
			}
		}
		if packets >= i.counted && (packets > 0 || !i.watch.hit()) {
			break
		}
	}
	return all, packets, nil
}

// compare notes what others did to the rules since they were installed.
func (i *injection) compare(p *part, saved ruleset) {
	missing, foreign := i.jumps(saved)
	i.evidence.Foreign = append(i.evidence.Foreign, foreign...)
	rules := saved.of(i.chain)
	if p.listing == nil && asPlanned(rules, p.roles) {
		p.listing = rules
	}
	switch {
	case slices.ContainsFunc(chainsOf(i.chain), func(name string) bool { return !slices.Contains(saved.chains, name) }):
		i.tampered("chain " + i.chain + " was removed")
	case len(missing) > 0:
		i.tampered(fmt.Sprintf("the jump from %s was removed", strings.Join(missing, ", ")))
	case !sameRules(rules, p.listing):
		i.tampered("the rules of chain " + i.chain + " were changed")
	}
}

// asPlanned says that the kernel lists the rules that were installed, in their order.
func asPlanned(rules []savedRule, roles []string) bool {
	return slices.EqualFunc(rules, roles, func(r savedRule, role string) bool {
		l, ours := r.label()
		return ours && l.role == role
	})
}

// bare is the rule without its comment.
func (r savedRule) bare() string {
	args := r.args
	if at := slices.Index(args, "--comment"); at >= 2 && at+2 <= len(args) {
		args = slices.Concat(args[:at-2], args[at+2:])
	}
	return "-A " + r.chain + " " + strings.Join(args, " ")
}
