package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// What a fault may lack on a kernel without it, if the user accepts that by name.
const (
	WithoutLease   = "lease"    // the fault outlives a dead owner, until its hard end
	WithoutHardEnd = "hard-end" // the owner alone ends the fault, or the lease after its death
)

// Missables lists the words.
func Missables() []string { return []string{WithoutLease, WithoutHardEnd} }

// lacking sorts what this kernel lacks into what the user accepted and an error.
func (i *injection) lacking(found []Capability) (lacks []string, missing error) {
	var errs []error
	for _, c := range found {
		switch {
		case c.OK || !c.Needed:
		case c.missable != "" && slices.Contains(i.without, c.missable):
			lacks = append(lacks, c.missable)
		case c.missable != "":
			errs = append(errs, results.Blind(results.CauseTool, fmt.Errorf(
				"missing here: %s: %s; the fault would have no %s (to inject it all the same: --accept-missing %s)", c.Name, c.Detail, c.missable, c.missable)))
		default:
			errs = append(errs, results.Blind(results.CauseTool, fmt.Errorf("missing here: %s: %s", c.Name, c.Detail)))
		}
	}
	return lacks, errors.Join(errs...)
}

// notes name what is missing that only some faults need.
func notes(found []Capability) error {
	var errs []error
	for _, c := range found {
		if !c.OK && !c.Needed {
			errs = append(errs, results.Blind(results.CauseTool, fmt.Errorf("missing here: %s, for %s: %s", c.Name, c.For, c.Detail)))
		}
	}
	return errors.Join(errs...)
}

func (i *injection) lack(what string) bool { return slices.Contains(i.lacks, what) }

// warnings says what the lack means.
func (i *injection) warnings() (out []string) {
	if i.lack(WithoutLease) {
		out = append(out, "accepted: no lease: the fault outlives a dead owner, until its hard end by the wall clock; heal it by: foreshock fault heal "+i.chain)
	}
	if i.lack(WithoutHardEnd) {
		out = append(out, "accepted: no hard end: only its owner or its lease ends the fault")
	}
	return out
}

// shut is the rule that stands in for a missing lease: while it is there, nothing is broken.
func (i *injection) shut() []string {
	return append(comment(i.marked().as(roleLease)), "-j", "RETURN")
}

// marked is the label as rules carry it.
func (i *injection) marked() label {
	l := i.label
	if i.lack(WithoutLease) {
		l.lease = 0
	}
	return l
}

// turner returns what takes that rule away and puts it back. While it stays away, the
// rule's absence is renewed by a look that the others are still there. No context ends
// it: a fault must be healed when all have.
func (i *injection) turner(ctx context.Context, p *part) func(bool) error {
	is := false
	return func(open bool) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
		defer cancel()
		tx := &transaction{}
		switch {
		case open && is:
			met, err := p.lease.send(p.lease.ask)
			if err == nil && !met {
				err = errors.New("no rule met the renewal: somebody removed the rules")
			}
			return err
		case open:
			tx.add("-D", i.chain+actSuffix, i.shut())
		case is:
			tx.add("-I", fmt.Sprintf("%s %d", i.chain+actSuffix, p.shutAt), i.shut())
		default:
			return nil
		}
		err := p.table.restore(ctx, tx)
		if err == nil {
			is = open
		}
		return err
	}
}

// sameRules compares our chains with how they were listed first, but for the rule that
// comes and goes.
func sameRules(a, b []savedRule) bool {
	moving := func(r savedRule) bool {
		l, ours := r.label()
		return ours && l.role == roleLease && strings.HasSuffix(r.spec(), " -j RETURN") && r.after("--name") == ""
	}
	a, b = slices.DeleteFunc(slices.Clone(a), moving), slices.DeleteFunc(slices.Clone(b), moving)
	return slices.EqualFunc(a, b, func(a, b savedRule) bool { return a.spec() == b.spec() })
}
