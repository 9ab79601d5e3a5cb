// Package verdict judges a circuit breaker from what was seen of it from outside: the
// calls of a client and the connection attempts that reached the dependency. Each
// property has a file of its own. It is pure: it must never call, wait or read a clock.
package verdict

import (
	"fmt"
	"slices"
	"strings"
)

// A Verdict is what a property, or a whole scenario, came to.
type Verdict uint8

// The verdicts; their numbers are in metrics and must stay.
const (
	Pass         Verdict = iota // it does what its owner declares
	Fail                        // it does not
	Inconclusive                // it could not be told
	Invalid                     // the fault met no packet, or someone removed it
	Aborted                     // a guard or a person stopped it
	Skipped                     // a property that does not apply
)

// Verdicts lists all of them in the order of their numbers.
func Verdicts() []Verdict { return []Verdict{Pass, Fail, Inconclusive, Invalid, Aborted, Skipped} }

// String returns the word that reports and metrics use.
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	case Inconclusive:
		return "inconclusive"
	case Invalid:
		return "invalid"
	case Aborted:
		return "aborted"
	case Skipped:
		return "skipped"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// MarshalText writes the word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the word back.
func (v *Verdict) UnmarshalText(b []byte) error {
	for _, k := range Verdicts() {
		if k.String() == string(b) {
			*v = k
			return nil
		}
	}
	return fmt.Errorf("verdict: got %q, want one of pass, fail, inconclusive, invalid, aborted, skipped", b)
}

// ExitCode is how the commands end that answer with a verdict.
func (v Verdict) ExitCode() int {
	switch v {
	case Pass:
		return 0
	case Fail:
		return 1
	case Invalid:
		return 4
	case Aborted:
		return 5
	case Inconclusive, Skipped:
	}
	return 3
}

// A Property is one thing a circuit breaker must do, and what was seen of it.
type Property struct {
	ID       string
	Verdict  Verdict
	Expected string
	Observed string
	Detail   string // one plain sentence for the person who has to mend it
	Span
}

// A rule judges one property.
type rule struct {
	id     string
	judge  func(Declared, *Observed) Property
	states bool // it speaks of closed, open and half-open
	rounds bool // it speaks of times in which the fault held once more
}

// rules lists every property, in the order of a report.
func rules() []rule {
	return []rule{
		{"trips-at-threshold", tripsAtThreshold, true, false},
		{"not-before-threshold", notBeforeThreshold, true, true},
		{"quiet-while-open", quietWhileOpen, true, false},
		{"fails-fast", failsFast, true, false},
		{"half-open-limit", halfOpenLimit, true, true},
		{"reopens-on-failed-probe", reopensOnFailedProbe, true, false},
		{"closes-on-success", closesOnSuccess, true, true},
		{"sliding-window", slidingWindow, true, true},
		{"slow-calls-count", slowCallsCount, true, true},
		{"no-herd-on-recovery", noHerdOnRecovery, false, false},
		{"isolated", isolated, false, false},
		{"answer-while-open", answerWhileOpen, true, false},
		{"self-report-agrees", selfReportAgrees, true, false},
		{"not-stuck", notStuck, true, false},
		{"retry-discipline", retryDiscipline, false, false},
	}
}

// IDs lists the properties that are judged.
func IDs() []string {
	var ids []string
	for _, r := range rules() {
		ids = append(ids, r.id)
	}
	return ids
}

// Judge judges every property. Nothing can be told of a run in which no fault acted,
// or in which it is not known when one did.
func Judge(d Declared, o *Observed) []Property {
	why := o.Unsteady
	if o.Armed.Start == 0 {
		why = "No fault was armed"
		if o.Tried.Start > 0 {
			why = "The run ended before the outage"
		}
	}
	var out []Property
	first := o.before(o.nextRound())
	for _, r := range rules() {
		seen := first
		if r.rounds {
			seen = o
		}
		p := r.judge(d, seen)
		if d.Adaptive && r.states {
			p = Property{Verdict: Skipped, Detail: "An adaptive breaker has no states: it sheds a part of the calls."}
		}
		p.ID = r.id
		if why != "" && p.Verdict != Skipped {
			p = Property{ID: r.id, Verdict: Inconclusive, Expected: p.Expected, Detail: why + "."}
		}
		out = append(out, p)
	}
	return out
}

// Void takes back what was judged of a run whose fault did not bite: without evidence
// nothing passed and nothing failed.
func Void(ps []Property, reason string) []Property {
	out := slices.Clone(ps)
	for i := range out {
		if out[i].Verdict != Skipped {
			out[i].Verdict, out[i].Observed, out[i].Detail = Invalid, "", reason
		}
	}
	return out
}

// Roll makes the verdict of a scenario: invalid if the fault did not bite; else fail
// if any property failed, even if then aborted; else aborted; else inconclusive if a
// required property is; else pass. All skipped is inconclusive. invalid and aborted
// are the reasons for these, or empty; require lists property ids, all if empty.
func Roll(ps []Property, invalid, aborted string, require []string) (Verdict, string) {
	switch failed := with(ps, Fail); {
	case invalid != "":
		return Invalid, invalid
	case len(failed) > 0:
		return Fail, "failed: " + strings.Join(failed, ", ")
	case aborted != "":
		return Aborted, aborted
	}
	for _, p := range ps {
		needed := len(require) == 0 || slices.Contains(require, p.ID)
		if needed && p.Verdict == Inconclusive {
			return Inconclusive, p.ID + ": " + p.Detail
		}
		if slices.Contains(require, p.ID) && p.Verdict == Skipped {
			return Inconclusive, p.ID + " is required and was skipped: " + p.Detail
		}
	}
	if len(with(ps, Pass)) == 0 {
		return Inconclusive, "no property could be judged"
	}
	return Pass, fmt.Sprintf("%d properties hold, none failed; %d do not apply", len(with(ps, Pass)), len(with(ps, Skipped)))
}

func with(ps []Property, v Verdict) []string {
	var ids []string
	for _, p := range ps {
		if p.Verdict == v {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
