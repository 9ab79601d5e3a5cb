package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// An Active is a fault that was found in the kernel, whoever put it there.
type Active struct {
	Chain    string        `json:"chain"` // or the socket of a pause
	Run      string        `json:"run"`   // empty if its owner died before the first rule
	Name     string        `json:"name,omitempty"`
	Location string        `json:"location,omitempty"`
	Kind     string        `json:"kind"`
	Protocol string        `json:"protocol"`
	To       string        `json:"to"`
	Since    time.Time     `json:"since,omitzero"`
	Until    time.Time     `json:"until,omitzero"`
	Lease    time.Duration `json:"lease_ns"`         // 0: it has none, and outlives its owner
	Owned    bool          `json:"owned"`            // the process that injected it lives; else it ends with its lease
	Armed    bool          `json:"armed"`            // its owner holds the lease: the fault acts
	Packets  uint64        `json:"packets"`          // met by its rules, or threads that stand still
	Silent   string        `json:"silent,omitempty"` // why the owner of a pause does not answer; all but the chain is unknown then

	selects []selected
	undo    []undo
}

// undo is what removes a fault's rules from one table, as they were listed.
type undo struct {
	table *table
	tx    *transaction
}

// place is one family's table in a namespace.
type place struct {
	tables []*table
	space  *space
}

// open finds the tables that there are. Both families are looked through, and both
// backends unless one was named; one whose command is missing holds nothing of ours.
func (in *Injector) open(ctx context.Context) (*place, error) {
	sp, err := openSpace(in.Netns)
	if err != nil {
		return nil, err
	}
	t, err := in.table(sp, IPv4)
	if err != nil {
		sp.close()
		return nil, err
	}
	p := &place{[]*table{t}, sp}
	if t, err := in.table(sp, IPv6); err == nil {
		p.tables = append(p.tables, t)
	}
	for _, t := range slices.Clone(p.tables) {
		if o := in.other(ctx, t); in.Suffix == "" && o != nil {
			p.tables = append(p.tables, o)
		}
	}
	return p, nil
}

// List finds the faults in the kernel, oldest first.
func (in *Injector) List(ctx context.Context) ([]Active, error) {
	p, err := in.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("list faults: %w", err)
	}
	defer p.space.close()
	return p.list(ctx)
}

// Heal removes the faults with this name, run id or chain, and returns them. That
// there is none is no error.
func (in *Injector) Heal(ctx context.Context, name string) ([]Active, error) {
	return in.healIf(ctx, auditHeal, func(a Active) bool { return name != "" && (a.Name == name || a.Run == name || a.Chain == name) })
}

// HealAll removes every fault of Foreshock, and returns them.
func (in *Injector) HealAll(ctx context.Context) ([]Active, error) {
	return in.healIf(ctx, auditHeal, func(Active) bool { return true })
}

// Sweep removes the faults whose owner is dead, and returns them. A living owner's
// are left alone, armed or not.
func (in *Injector) Sweep(ctx context.Context) ([]Active, error) {
	return in.healIf(ctx, auditSweep, func(a Active) bool { return !a.Owned })
}

func (in *Injector) healIf(ctx context.Context, action string, wanted func(Active) bool) ([]Active, error) {
	p, err := in.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("heal: %w", err)
	}
	defer p.space.close()
	found, err := p.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("heal: %w", err)
	}
	var healed []Active
	var errs []error
	for _, a := range found {
		if !wanted(a) {
			continue
		}
		err := p.heal(ctx, a)
		errs = append(errs, in.Audit.write(a.entry(action, err)))
		if err != nil {
			errs = append(errs, fmt.Errorf("heal %s: %w", a.Chain, err))
			continue
		}
		healed = append(healed, a)
	}
	return healed, errors.Join(errs...)
}

func (p *place) heal(ctx context.Context, a Active) error {
	if a.Kind == pauseWord {
		return p.resume(ctx, a.Chain)
	}
	return a.remove(ctx)
}

func (a Active) remove(ctx context.Context) error {
	var errs []error
	for _, u := range a.undo {
		// What was listed is known; only if others changed it since need we look.
		if u.table.restore(ctx, u.tx) != nil {
			errs = append(errs, u.table.remove(ctx, a.Chain))
		}
	}
	return errors.Join(errs...)
}

func (p *place) list(ctx context.Context) ([]Active, error) {
	found, err := p.chains(ctx)
	if err != nil {
		return nil, err
	}
	living, err := p.owners(ctx)
	if err != nil {
		return nil, err
	}
	for n := range found {
		a := &found[n]
		a.Owned = slices.Contains(living, ownerName(a.Chain))
		if a.Lease > 0 {
			a.Armed = a.Armed && a.Owned
		}
		a.Armed = a.Armed && time.Now().Before(a.Until)
	}
	pauses, err := p.pauses(ctx)
	if err != nil {
		return nil, err
	}
	found = append(found, pauses...)
	slices.SortStableFunc(found, func(a, b Active) int { return a.Since.Compare(b.Since) })
	return found, nil
}

// chains lists the faults that have rules, in whatever table.
func (p *place) chains(ctx context.Context) ([]Active, error) {
	var found []Active
	for _, t := range p.tables {
		saved, err := t.read(ctx)
		if t.second && errors.Is(err, errIncompatible) {
			continue // another program's rules alone
		}
		if err != nil {
			return nil, err
		}
		for _, chain := range saved.faults() {
			a, ours := describe(chain, saved)
			if !ours {
				continue
			}
			a.undo = []undo{{t, saved.removal(chain)}}
			if a.Lease > 0 {
				a.Armed, _ = held(ctx, p.space, leaseName(chain, t.family)) // no list: not armed
			}
			found = merge(found, a)
		}
	}
	return found, nil
}

// merge adds a fault's share in one table to what is known of it from others.
func merge(found []Active, a Active) []Active {
	at := slices.IndexFunc(found, func(b Active) bool { return b.Chain == a.Chain })
	if at < 0 {
		return append(found, a)
	}
	found[at].Packets += a.Packets
	found[at].selects = append(found[at].selects, a.selects...)
	found[at].undo = append(found[at].undo, a.undo...)
	found[at].Armed = found[at].Armed || a.Armed
	return found
}

// describe reads what a fault's comments tell. A fault with a rule that is not ours
// is not ours, whatever its name. Of its chains some may be missing.
func describe(chain string, saved ruleset) (Active, bool) {
	a := Active{Chain: chain}
	shut := false
	for _, r := range saved.of(chain) {
		l, ours := r.label()
		if !ours {
			return a, false
		}
		if l.role == roleSelect {
			a.Run = l.run
			a.selects = append(a.selects, r.selected())
			continue
		}
		a.Run, a.Name, a.Location, a.Kind, a.Protocol, a.To = l.run, l.name, l.where, l.kind, l.proto, l.to
		a.Since, a.Until, a.Lease = l.since, l.until, l.lease
		shut = shut || l.role == roleLease
		if l.role == roleFault {
			a.Packets += r.packets
		}
	}
	a.Armed = a.Run != "" && !shut
	return a, true
}

// owners lists the abstract sockets of living owners in the namespace.
func (p *place) owners(ctx context.Context) ([]string, error) {
	return learn(ctx, p.space, func() (names []string, err error) {
		text, err := os.ReadFile("/proc/thread-self/net/unix")
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 8 && strings.HasPrefix(f[7], "@foreshock/") {
				names = append(names, f[7])
			}
		}
		return names, err
	})
}
