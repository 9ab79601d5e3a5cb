package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"time"

	"github.com/foreshock/foreshock/internal/nfqueue"
	"github.com/foreshock/foreshock/results"
)

// renewals is how often a lease is renewed while it would last.
const renewals = 4

// jiffies is how much the kernel's clock of ticks may cut a lease short.
const jiffies = 20 * time.Millisecond

// An injection is a fault in this machine's kernel.
type injection struct {
	fault   Fault
	label   label
	target  pinned
	chain   string
	why     string
	without []string // what the user accepted to do without
	lacks   []string // and what the kernel lacks of that
	audit   *Audit
	space   *space
	owner   net.PacketConn
	watch   *watch
	queue   *nfqueue.Queue // nil unless the fault is Queued
	divert  []string       // the action that leads to it
	parts   []*part

	reads sync.Mutex // held by whoever reads the rules; taken before mu

	mu       sync.Mutex
	armed    bool
	renewed  time.Time // when the last renewal of the lease began
	stop     context.CancelFunc
	stopped  chan struct{} // closed when the renewal has ended
	closed   bool
	counted  uint64       // by the fault rules
	evidence Evidence     // as far as it is known by now
	untold   []auditEntry // what the audit does not know yet
}

// ErrClosed is of an injection that was closed.
var ErrClosed = errors.New("injection is closed")

// Arm implements [Injection].
func (i *injection) Arm(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := i.audit.write(i.entry(auditArm, nil)); err != nil {
		return err // whoever cannot be named breaks nothing
	}
	if err := i.arm(ctx); err != nil {
		return fmt.Errorf("arm %s of %s: %w", i.fault.Kind(), i.fault.Target(), err)
	}
	// What the receipts say is checked once against the kernel's list.
	for _, p := range i.parts {
		ok, err := held(ctx, i.space, p.lease.list)
		if err == nil && !ok {
			err = results.Blind(results.CauseTool, fmt.Errorf("lease %s: the datagram was dropped before it met our rule", p.lease.list))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // no /proc: the receipts must do
			return errors.Join(fmt.Errorf("arm: %w", err), i.Disarm(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

func (i *injection) arm(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return ErrClosed
	case i.armed:
		return nil
	case !time.Now().Before(i.label.until):
		return fmt.Errorf("its hard end %s has passed", i.label.until.Format(time.RFC3339))
	}
	i.watch.sync() // what came before is stamped before
	from := time.Now()
	if err := i.set(); err != nil {
		i.take()
		return err
	}
	i.armed, i.renewed = true, from
	i.evidence.Spans = append(i.evidence.Spans, Span{From: from})
	i.evidence.HealedBy = ""
	ctx, i.stop = context.WithDeadline(ctx, i.label.until)
	i.stopped = make(chan struct{})
	go i.hold(ctx, i.stopped)
	return nil
}

// set renews the leases of all families.
func (i *injection) set() error {
	for _, p := range i.parts {
		if p.turn != nil {
			if err := p.turn(true); err != nil {
				return results.Blind(results.CauseTool, err)
			}
			continue
		}
		met, err := p.lease.send(p.lease.set)
		if err != nil {
			return results.Blind(results.CauseTool, fmt.Errorf("lease: %w", err))
		}
		if !met {
			return results.Blind(results.CauseTool, errors.New("lease: no rule met the renewal: somebody removed the rules, or lets loopback pass before them"))
		}
	}
	return nil
}

func (i *injection) take() {
	for _, p := range i.parts {
		if p.turn != nil {
			if err := p.turn(false); err != nil {
				i.tampered("could not be disarmed: " + err.Error()) // Close removes the rules, or says that it cannot
			}
			continue
		}
		// What is not taken now ends with the lease.
		_, _ = p.lease.send(p.lease.take)
	}
}

// hold renews the lease until ctx ends, and heals then.
func (i *injection) hold(ctx context.Context, stopped chan<- struct{}) {
	defer close(stopped)
	ticker := time.NewTicker(i.label.lease / renewals)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			i.heal()
			return
		case <-ticker.C:
			if !i.renew() {
				return
			}
		}
	}
}

// renew reports whether there is anything left to renew.
func (i *injection) renew() bool {
	defer i.tell()
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.armed {
		return false
	}
	began := time.Now()
	err := i.queueEnded()
	if err == nil {
		err = i.set()
	}
	if err != nil {
		i.tampered(err.Error())
		i.take()
		i.endSpan(HealedByOther)
		return false
	}
	i.lapsed()
	i.renewed = began
	return true
}

// lapsed notes how long the lease was not renewed until now, and whether it ran out.
func (i *injection) lapsed() bool {
	gap := time.Since(i.renewed)
	i.evidence.LongestGap = max(i.evidence.LongestGap, gap)
	if gap < i.label.lease-jiffies || i.lack(WithoutLease) {
		return false
	}
	i.evidence.Lapses++
	return true
}

// heal ends the fault at once; the lock keeps a renewal from coming after it.
func (i *injection) heal() {
	defer i.tell()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.healLocked()
}

func (i *injection) healLocked() {
	if !i.armed {
		return
	}
	i.watch.sync()
	i.take()
	switch lapsed := i.lapsed(); {
	case !time.Now().Before(i.label.until):
		i.endSpan(HealedByLimit)
	case lapsed:
		i.endSpan(HealedByLease)
	default:
		i.endSpan(HealedByOwner)
	}
}

func (i *injection) endSpan(by string) {
	i.armed = false
	i.stop()
	if i.queue != nil {
		i.queue.Release() // what it holds; the lease is gone, so no more come
	}
	told := i.entry(auditHeal, nil)
	told.By = by
	i.untold = append(i.untold, told)
	last := &i.evidence.Spans[len(i.evidence.Spans)-1]
	last.To, last.By = time.Now(), by
	i.evidence.HealedBy = by
}

// tampered keeps the first finding.
func (i *injection) tampered(how string) {
	if i.evidence.Tampered == "" {
		i.evidence.Tampered = how
	}
}

// Disarm implements [Injection].
func (i *injection) Disarm(ctx context.Context) error {
	i.heal()
	i.mu.Lock()
	stopped := i.stopped
	i.mu.Unlock()
	if stopped == nil {
		return nil
	}
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements [Injection].
func (i *injection) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	if err := i.Disarm(ctx); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	defer i.tell()
	i.reads.Lock()
	defer i.reads.Unlock()
	i.heal()
	read := i.observe(ctx)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil
	}
	err := i.remove(ctx)
	i.untold = append(i.untold, i.entry(auditClose, err))
	if err != nil {
		return errors.Join(fmt.Errorf("close: %w", err), read)
	}
	i.closed = true
	i.release()
	return read
}

// remove takes away whatever rules an installation has put in place so far.
func (i *injection) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	for _, p := range i.parts {
		// What was installed is known; only if others changed it need we look.
		if p.roles != nil && p.table.restore(ctx, i.removal()) == nil {
			continue
		}
		if err := p.table.remove(ctx, i.chain); err != nil {
			return err
		}
	}
	return nil
}

// release closes what an installation has opened so far.
func (i *injection) release() {
	if i.watch != nil {
		i.watch.close()
	}
	for _, p := range i.parts {
		if p.lease != nil {
			p.lease.close()
		}
	}
	if i.queue != nil {
		_ = i.queue.Close() // an error was told as tampering
	}
	if i.owner != nil {
		_ = i.owner.Close()
	}
	if i.space != nil {
		i.space.close()
	}
}
