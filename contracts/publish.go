package contracts

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foreshock/foreshock/contracts/broker"
)

// Publish tells the broker what came of each of its pacts, as results of the version.
// Nothing is told of a pact that could not be judged whole: a provider that was
// unreachable would be recorded as one that breaks its contract, and part of a contract
// as all of it. held names those with the reason; they make the report no worse.
func (r Report) Publish(ctx context.Context, to *broker.Client, v broker.Version) (published int, held []string, err error) {
	var errs []error
	prepared := false
	for i, p := range r.pacts {
		if p.broker == nil {
			continue
		}
		got, why := r.verification(i)
		if why != "" {
			held = append(held, fmt.Sprintf("%s: not published: %s", p.broker.Name, why))
			continue
		}
		if !prepared {
			if err := to.SetVersion(ctx, v); err != nil {
				return 0, held, err
			}
			prepared = true
		}
		if err := to.Publish(ctx, *p.broker, v, got); err != nil {
			errs = append(errs, err)
			continue
		}
		published++
	}
	return published, held, errors.Join(errs...)
}

// verification is what came of the i-th of the pacts, or why that cannot be told.
func (r Report) verification(i int) (v broker.Verification, why string) {
	v = broker.Verification{Success: true, Verifier: "libpact_ffi " + r.Library.Version}
	for _, in := range r.of(i) {
		t := broker.Tested{ID: in.id, Description: in.Description, Success: in.Outcome == OK}
		switch in.Outcome {
		case OK:
		case Unreachable, NotApplicable:
			why = fmt.Sprintf("%s is %s: %v", in.Given(), in.Outcome, in.reason())
		case Broken:
			v.Success = false
		}
		for _, m := range in.Mismatches {
			t.Mismatches = append(t.Mismatches, broker.Mismatch{Attribute: attribute(m.Type), Identifier: m.Path, Description: m.Text})
		}
		v.Interactions = append(v.Interactions, t)
	}
	switch {
	case !v.Success: // broken is broken, whatever the rest is
		return v, ""
	case why == "" && r.pacts[i].partly:
		why = "only some of its interactions were verified"
	}
	return v, why
}

// of lists the interactions of the i-th pact: they stand in the order of the pacts.
func (r Report) of(i int) []Interaction {
	from := 0
	for _, p := range r.pacts[:i] {
		from += len(p.interactions)
	}
	return r.Interactions[from : from+len(r.pacts[i].interactions)]
}

// attribute is the broker's word for a type of mismatch: BodyMismatch is body.
func attribute(mismatch string) string {
	name := strings.TrimSuffix(mismatch, "Mismatch")
	if name == "BodyType" {
		name = "Body"
	}
	return strings.ToLower(name)
}
