package faults

import (
	"context"
	"errors"
	"sync"
)

// audited is an injection into processes whose deeds are written down.
type audited struct {
	Injection
	audit *Audit
	entry auditEntry

	mu        sync.Mutex
	told      int    // spans whose end the audit knows
	unaudited string // why it lacks a line
	closed    bool
}

// write writes a line, and keeps why it could not.
func (a *audited) write(action, by string, err error) error {
	e := a.entry
	e.Action, e.By = action, by
	if err != nil {
		e.Error = err.Error()
	}
	werr := a.audit.write(e)
	if werr != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.unaudited = werr.Error()
	}
	return werr
}

// Arm implements [Injection].
func (a *audited) Arm(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := a.write(auditArm, "", nil); err != nil {
		return err // whoever cannot be named breaks nothing
	}
	return a.Injection.Arm(ctx)
}

// Disarm implements [Injection].
func (a *audited) Disarm(ctx context.Context) error {
	err := a.Injection.Disarm(ctx)
	_, terr := a.Evidence(ctx)
	return errors.Join(err, terr)
}

// Evidence implements [Injection], and writes down which spans have ended meanwhile.
func (a *audited) Evidence(ctx context.Context) (Evidence, error) {
	e, err := a.Injection.Evidence(ctx)
	a.mu.Lock()
	var fresh []Span
	for ; a.told < len(e.Spans) && !e.Spans[a.told].To.IsZero(); a.told++ {
		fresh = append(fresh, e.Spans[a.told])
	}
	a.mu.Unlock()
	for _, s := range fresh {
		_ = a.write(auditHeal, s.By, nil) // healing is not kept from; the evidence says so
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e.Unaudited = a.unaudited
	return e, err
}

// Close implements [Injection].
func (a *audited) Close(ctx context.Context) error {
	err := a.Injection.Close(ctx)
	_, eerr := a.Evidence(ctx)
	a.mu.Lock()
	told := a.closed
	a.closed = err == nil
	a.mu.Unlock()
	if !told {
		_ = a.write(auditClose, "", err)
	}
	return errors.Join(err, eerr)
}
