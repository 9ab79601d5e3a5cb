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
	Chain    string
	Run      string // empty if its owner died before the first rule
	Name     string
	Location string
	Kind     string
	Protocol string
	To       string
	Since    time.Time
	Until    time.Time
	Lease    time.Duration
	Owned    bool   // the process that injected it lives; else it ends with its lease
	Armed    bool   // its owner holds the lease: the fault acts
	Packets  uint64 // met by its rules

	selects []selected
}

// place is one family's table in a namespace.
type place struct {
	tables []*table
	space  *space
}

// open finds the tables that there are. Both families are looked through; one whose
// command is missing holds nothing of ours.
func (in *Injector) open() (*place, error) {
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
	return p, nil
}

// List finds the faults in the kernel, oldest first.
func (in *Injector) List(ctx context.Context) ([]Active, error) {
	p, err := in.open()
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
	p, err := in.open()
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
		err := p.remove(ctx, a.Chain)
		errs = append(errs, in.Audit.write(a.entry(action, err)))
		if err != nil {
			errs = append(errs, fmt.Errorf("heal %s: %w", a.Chain, err))
			continue
		}
		healed = append(healed, a)
	}
	return healed, errors.Join(errs...)
}

func (p *place) remove(ctx context.Context, chain string) error {
	var errs []error
	for _, t := range p.tables {
		errs = append(errs, t.remove(ctx, chain))
	}
	return errors.Join(errs...)
}

func (p *place) list(ctx context.Context) ([]Active, error) {
	var found []Active
	for _, t := range p.tables {
		saved, err := t.read(ctx)
		if err != nil {
			return nil, err
		}
		for _, chain := range saved.faults() {
			a, ours := describe(chain, saved)
			if !ours {
				continue
			}
			a.Armed, _ = held(ctx, p.space, leaseName(chain, t.family)) // no list: not armed
			if at := slices.IndexFunc(found, func(b Active) bool { return b.Chain == chain }); at >= 0 {
				found[at].Packets += a.Packets
				found[at].selects = append(found[at].selects, a.selects...)
				found[at].Armed = found[at].Armed || a.Armed
				continue
			}
			found = append(found, a)
		}
	}
	living, err := p.owners(ctx)
	if err != nil {
		return nil, err
	}
	for n := range found {
		a := &found[n]
		a.Owned = slices.Contains(living, ownerName(a.Chain))
		a.Armed = a.Armed && a.Owned && time.Now().Before(a.Until)
	}
	slices.SortStableFunc(found, func(a, b Active) int { return a.Since.Compare(b.Since) })
	return found, nil
}

// describe reads what a fault's comments tell. A fault with a rule that is not ours
// is not ours, whatever its name. Of its chains some may be missing.
func describe(chain string, saved ruleset) (Active, bool) {
	a := Active{Chain: chain}
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
		if l.role == roleFault {
			a.Packets += r.packets
		}
	}
	return a, true
}

// owners lists the abstract sockets of living owners in the namespace.
func (p *place) owners(ctx context.Context) (names []string, err error) {
	err = p.space.do(ctx, func() error {
		text, err := os.ReadFile("/proc/thread-self/net/unix")
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 8 && strings.HasPrefix(f[7], "@foreshock/") {
				names = append(names, f[7])
			}
		}
		return err
	})
	return names, err
}
