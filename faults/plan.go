package faults

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/internal/nfqueue"
)

// A Plan is what an installation would do.
type Plan struct {
	Resolved     []string     `json:"resolved"`               // the addresses or processes that would be pinned; * is any
	Rules        []string     `json:"rules,omitempty"`        // as iptables-restore would read them; ports, words, the number of a queue and the seed of a percentage are new each time
	Live         []Connection `json:"live,omitempty"`         // TCP connections of this host that would be met; of a percentage or a cgroup, those it is taken of
	Processes    []string     `json:"processes,omitempty"`    // that would be held or killed, with their threads
	Irreversible bool         `json:"irreversible,omitempty"` // nothing would heal it
	Warnings     []string     `json:"warnings,omitempty"`     // what may keep the fault from acting
}

// Plan says what Install would put into the kernel, and which connections are open
// that it would meet. It changes nothing. What containers send through this host is
// not among the connections: those are in namespaces of their own.
func (in *Injector) Plan(ctx context.Context, f Fault, o Options) (Plan, error) {
	l, err := newLabel(f, o, time.Now())
	if err != nil {
		return Plan{}, err
	}
	if p, ok := f.(onProcesses); ok {
		return planProcesses(ctx, p)
	}
	target, err := f.Target().pin(ctx)
	if err != nil {
		return Plan{}, err
	}
	sp, err := openSpace(cmp.Or(target.Netns, in.Netns))
	if err != nil {
		return Plan{}, err
	}
	defer sp.close()
	i := &injection{fault: f, label: l, target: target, chain: newChainName(o.Run), space: sp, watch: &watch{group: nflogPrivate}}
	if _, ok := f.(Queued); ok {
		i.divert = nfqueue.Action(nfqueue.FirstNum)
	}
	plan := Plan{Resolved: target.resolved()}
	for _, family := range target.families() {
		p := &part{}
		if p.table, err = in.table(sp, family); err != nil {
			return Plan{}, fmt.Errorf("plan: %w", err)
		}
		warning, err := in.foreignBackend(ctx, p.table)
		if err != nil {
			return Plan{}, fmt.Errorf("plan: %w", err)
		}
		if warning != "" {
			plan.Warnings = append(plan.Warnings, warning)
		}
		if err := sp.do(ctx, func() (err error) {
			p.lease, err = openLease(family, i.chain, l.lease)
			return err
		}); err != nil {
			return Plan{}, fmt.Errorf("plan: %w", err)
		}
		p.lease.close()
		plan.Rules = append(plan.Rules, i.transaction(i.plan(p)).lines...)
	}
	all, err := sockets(ctx, sp)
	if err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	for _, c := range all {
		if target.touches(c) {
			plan.Live = append(plan.Live, c)
		}
	}
	return plan, nil
}
