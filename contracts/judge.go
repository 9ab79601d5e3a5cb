package contracts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// Exit codes of a command that verifies contracts.
const (
	exitOK      = 0
	exitBroken  = 1
	exitUnknown = 3
	exitNothing = 4
)

// Count returns how many interactions had the outcome; broken ones that are pending do
// not count.
func (r Report) Count(o Outcome) int {
	n := 0
	for _, in := range r.Interactions {
		if in.Outcome == o && !in.excused() {
			n++
		}
	}
	return n
}

// excused tells whether the interaction is broken and its consumer expects it to be.
func (in Interaction) excused() bool { return in.Outcome == Broken && in.Pending }

// ExitCode is 0 if every interaction is ok, 1 if one is broken, 4 if nothing was
// verified and 3 if the provider could not be reached or a state not be set. A pending
// interaction that is broken changes none of these, except that it verifies nothing.
func (r Report) ExitCode() int {
	switch {
	case r.Count(Broken) > 0:
		return exitBroken
	case r.Count(Unreachable) > 0:
		return exitUnknown
	case r.Count(OK) == 0:
		return exitNothing
	case r.Count(NotApplicable) > 0:
		return exitUnknown
	}
	return exitOK
}

// Err is the report as the error of a check: nil if every interaction is ok, critical
// if one is broken, else unknown, or a warning if only pending ones are broken.
func (r Report) Err() error {
	var pending error
	for _, in := range r.Interactions {
		if in.excused() {
			pending = r.first(Broken)
		}
	}
	switch {
	case r.documented():
		return results.Fault(results.CauseDocumented, r.first(Broken))
	case r.Count(Broken) > 0:
		return results.Fault(results.CauseContract, r.first(Broken))
	case r.Count(Unreachable) > 0:
		return results.Blind(r.blindness(), r.first(Unreachable))
	case r.Count(OK) == 0:
		return results.Blind(results.CauseInternal, r.nothing())
	case r.Count(NotApplicable) > 0:
		return results.Blind(results.CauseInternal, r.first(NotApplicable))
	case pending != nil:
		return results.Warn(results.CauseContract, pending)
	}
	return nil
}

// first tells how many interactions had the outcome, and of the first what it was.
func (r Report) first(o Outcome) error {
	n, first := 0, error(nil)
	for _, in := range r.Interactions {
		if in.Outcome == o {
			n++
		}
		if in.Outcome == o && first == nil {
			first = fmt.Errorf("%s: %w", in.Name(), in.reason())
		}
	}
	return fmt.Errorf("contract of %s: %d of %d interactions %s: %w", r.Provider, n, len(r.Interactions), o, first)
}

// blindness is our own trouble if that is why the provider was not reached. When the
// provider is to blame, another check says so: of the contract nothing could be told.
func (r Report) blindness() results.Cause {
	for _, in := range r.Interactions {
		ours := []results.Cause{results.CauseNetwork, results.CauseResolver, results.CauseResources, results.CausePermission}
		if slices.Contains(ours, in.Cause) {
			return in.Cause
		}
	}
	return results.CauseNetwork
}

func (r Report) nothing() error {
	if len(r.Interactions) > 0 {
		return fmt.Errorf("contract of %s: nothing was verified: of %d interactions, %d not applicable, the rest pending and broken",
			r.Provider, len(r.Interactions), r.Count(NotApplicable))
	}
	if len(r.PassedOver) > 0 {
		return fmt.Errorf("contract of %s: nothing was verified: %s", r.Provider, strings.Join(r.PassedOver, "; "))
	}
	return fmt.Errorf("contract of %s: nothing was verified: got no pact file", r.Provider)
}

// Name is "consumer: description", as steps and reports call the interaction.
func (in Interaction) Name() string { return in.Consumer + ": " + in.Description }

// Given is the name with the provider states, which tells apart interactions that
// differ only in them.
func (in Interaction) Given() string {
	if len(in.States) == 0 {
		return in.Name()
	}
	return in.Name() + ", given " + strings.Join(in.States, " and ")
}

// Err is the interaction as the error of a step, by the rules of [Report.Err].
func (in Interaction) Err() error {
	switch {
	case in.Outcome == OK:
		return nil
	case in.excused():
		return results.Warn(results.CauseContract, in.reason())
	case in.Outcome == Broken && in.Documented != "":
		return results.Fault(results.CauseDocumented, in.reason())
	case in.Outcome == Broken:
		return results.Fault(results.CauseContract, in.reason())
	}
	return results.Blind(Report{Interactions: []Interaction{in}}.blindness(), in.reason())
}

// reason says in one line what was wrong.
func (in Interaction) reason() error {
	var parts []string
	for _, m := range in.Mismatches {
		parts = append(parts, m.String())
	}
	if in.Message != "" {
		parts = append(parts, in.Message)
	}
	text := strings.Join(parts, "; ")
	if in.Documented != "" {
		text = fmt.Sprintf("the answer is the error that %q documents: %s", in.Documented, text)
	}
	if in.Outcome == Unreachable {
		text = fmt.Sprintf("unreachable (%s): %s", in.Cause, text)
	}
	return errors.New(text)
}
