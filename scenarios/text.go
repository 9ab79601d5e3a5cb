package scenarios

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// Lead says in one plain sentence what the verdict means.
func (r *Report) Lead() string {
	switch n := len(r.with(verdict.Fail)); {
	case r.ExitCode == exitLeft:
		return "Something was left behind: the fault could not be healed."
	case r.Verdict == verdict.Pass:
		return "The circuit breaker did what its owner declares."
	case r.Verdict == verdict.Fail && n == 1:
		return "The circuit breaker did not do what its owner declares: 1 property failed."
	case r.Verdict == verdict.Fail:
		return fmt.Sprintf("The circuit breaker did not do what its owner declares: %d properties failed.", n)
	case r.Verdict == verdict.Invalid:
		return "Nothing was tested: the fault was not what it should have been."
	case r.Verdict == verdict.Aborted:
		return "The run was stopped before the verdict."
	}
	return "It could not be told whether the circuit breaker does what its owner declares."
}

func (r *Report) with(v verdict.Verdict) (ps []PropertyLine) {
	for _, p := range r.Properties {
		if p.Verdict == v {
			ps = append(ps, p)
		}
	}
	return ps
}

// Sorted are the properties as people read them: what failed first, then what could not
// be told, what holds, and what does not apply.
func (r *Report) Sorted() []PropertyLine {
	order := []verdict.Verdict{verdict.Fail, verdict.Invalid, verdict.Aborted, verdict.Inconclusive, verdict.Pass, verdict.Skipped}
	return slices.SortedStableFunc(slices.Values(r.Properties), func(a, b PropertyLine) int {
		return cmp.Compare(slices.Index(order, a.Verdict), slices.Index(order, b.Verdict))
	})
}

// WriteText writes the report for a terminal: the verdict and its reason, what each
// failed property needs, then the figures.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "scenario %s: %s (%s)\n", r.Scenario, r.Verdict, r.Reason)
	if r.Untidy != "" {
		fmt.Fprintf(w, "  %s\n", r.untidy())
	}
	said := ""
	for _, ps := range alike(r.Sorted()) {
		p := ps[0]
		switch {
		case p.Verdict == verdict.Fail:
			fmt.Fprintf(w, "\n  %s  %s\n", p.Verdict, p.ID)
			for _, l := range [][2]string{{"", p.Detail}, {"want: ", p.Expected}, {"got:  ", p.Observed}, {"mend: ", p.Fix}} {
				if l[1] != "" {
					fmt.Fprintf(w, "        %s%s\n", l[0], l[1])
				}
			}
			said = "\n"
		case len(ps) > 1:
			fmt.Fprintf(w, "%s  %-12s  %s: %s\n", said, p.Verdict, strings.Join(ids(ps), ", "), p.line())
			said = ""
		default:
			fmt.Fprintf(w, "%s  %-12s  %-23s  %s\n", said, p.Verdict, p.ID, p.line())
			said = ""
		}
	}
	r.writeMeasured(w)
	for _, f := range r.Faults {
		fmt.Fprintf(w, "  fault %s %s: %s; %s\n", f.Kind, f.To, f.did(), f.end())
	}
}

// alike puts together properties of one verdict, if they did not fail, that say the same.
func alike(sorted []PropertyLine) (out [][]PropertyLine) {
	for _, p := range sorted {
		i := slices.IndexFunc(out, func(o []PropertyLine) bool { return o[0].Verdict == p.Verdict && o[0].line() == p.line() })
		if i < 0 || p.Verdict == verdict.Fail {
			out = append(out, []PropertyLine{p})
			continue
		}
		out[i] = append(out[i], p)
	}
	return out
}

func ids(ps []PropertyLine) (ids []string) {
	for _, p := range ps {
		ids = append(ids, p.ID)
	}
	return ids
}

// line is what a property that did not fail has to say.
func (p PropertyLine) line() string {
	if p.Verdict == verdict.Pass {
		return cmp.Or(p.Observed, p.Detail)
	}
	return strings.TrimPrefix(p.Observed+". "+p.Detail, ". ")
}

func (r *Report) writeMeasured(w io.Writer) {
	if len(r.Measured) == 0 {
		return
	}
	widest := len("declared")
	for _, m := range r.Measured {
		widest = max(widest, len(m.Declared))
	}
	fmt.Fprintf(w, "\n  %-22s  %-*s  %s\n", "the breaker", widest, "declared", "measured")
	for _, m := range r.Measured {
		fmt.Fprintf(w, "  %-22s  %-*s  %s\n", m.Name, widest, m.Declared, strings.TrimSuffix(m.Measured+" at "+m.Instance, " at "))
	}
	fmt.Fprintln(w)
}

func (r *Report) untidy() string {
	if r.Untidy == "" {
		return ""
	}
	return "teardown failed: " + r.Untidy
}

func (f FaultLine) did() string {
	switch f.Unit {
	case "threads":
		return "stopped " + count(int(f.Packets), "thread") //nolint:gosec // of one machine
	case "processes":
		return fmt.Sprintf("ended %d of %d processes", f.Packets, len(f.Resolved))
	}
	return fmt.Sprintf("met %s, %s", count(int(f.Packets), "packet"), count(int(f.Attempts), "connection attempt")) //nolint:gosec // of one run
}

func (f FaultLine) end() string {
	if f.Irreversible {
		return "irreversible"
	}
	if f.HealedBy == "" {
		return "it never acted"
	}
	return "healed by " + f.HealedBy
}
