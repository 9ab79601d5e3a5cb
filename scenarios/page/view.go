package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// A report is a scenarios.Report in the words of the page.
type report struct {
	*scenarios.Report
	ID       string // of its element
	Verdict  string
	Lead     string    // the verdict in plain words
	Why      []because // what it rests on
	Facts    []fact
	Lanes    []lane
	Bottom   lane // the axis once more
	Reported bool // the breaker said something of itself
	Judged   []property
	Skipped  []property
	Recovery *recovery
	Figures  []figures
	Seen     []sight
}

// because is a sentence of what the verdict rests on, and what to do about it.
type because struct{ Property, Text, Fix string }

type fact struct{ Name, Text string }

// A property is one judged property with when it was looked at.
type property struct {
	scenarios.PropertyLine
	Word, When string
}

// figures are a phase in numbers.
type figures struct {
	scenarios.PhaseLine
	From, To, P50, P99, Max string
}

func viewReport(id string, r *scenarios.Report) report {
	v := report{
		Report: r, ID: id, Verdict: r.Verdict.String(), Lead: r.Lead(), Why: why(r), Facts: facts(r),
		Recovery: viewRecovery(r.Recovery), Seen: sights(r.Checks),
	}
	a := newAxis(r)
	v.Lanes, v.Bottom = a.lanes(r), a.times()
	v.Reported = slices.ContainsFunc(r.Timeline, func(e scenarios.Entry) bool { return e.Type == "reported" })
	v.Judged, v.Skipped = properties(r)
	for _, p := range r.Phases {
		f := figures{PhaseLine: p, From: clock(p.FromMS), To: clock(p.ToMS), P50: "–", P99: "–", Max: "–"}
		if p.Calls > 0 {
			f.P50, f.P99, f.Max = span(p.P50MS), span(p.P99MS), span(p.MaxMS)
		}
		v.Figures = append(v.Figures, f)
	}
	return v
}

// exitLeft is the exit code of a run that left something behind.
const exitLeft = 6

// why gives the reason, and what the properties say that the verdict rests on: each
// sentence once.
func why(r *scenarios.Report) []because {
	var out []because
	if r.Verdict != verdict.Fail || r.ExitCode == exitLeft {
		out = append(out, because{Text: r.Reason})
	}
	if r.Verdict != verdict.Fail && r.Verdict != verdict.Inconclusive {
		return out
	}
	for _, p := range r.Properties {
		said := func(b because) bool { return strings.Contains(b.Text, strings.TrimSuffix(p.Detail, ".")) }
		if p.Verdict == r.Verdict && !slices.ContainsFunc(out, said) {
			out = append(out, because{p.ID, cmp.Or(p.Detail, p.Observed), p.Fix})
		}
	}
	if len(out) == 0 {
		out = append(out, because{Text: r.Reason})
	}
	return out
}

func facts(r *scenarios.Report) []fact {
	out := []fact{}
	add := func(name, format string, args ...any) { out = append(out, fact{name, fmt.Sprintf(format, args...)}) }
	if r.Summary != "" {
		add("Purpose", "%s", r.Summary)
	}
	if r.Target != "" {
		add("Called", "%s", r.Target)
	}
	for _, f := range r.Faults {
		add("Fault", "%s %s%s", f.Kind, f.To, held(f))
		add("Evidence", "it met %s and %s", plural(int(f.Packets), "packet", "packets"), plural(int(f.Attempts), "connection attempt", "connection attempts")) //nolint:gosec // counts of one run
	}
	calls := scenarios.PhaseLine{}
	for _, p := range r.Phases {
		calls.Calls, calls.Success, calls.Rejected, calls.Failed = calls.Calls+p.Calls, calls.Success+p.Success, calls.Rejected+p.Rejected, calls.Failed+p.Failed
	}
	add("Calls", "%d: %d succeeded, %d rejected, %d failed", calls.Calls, calls.Success, calls.Rejected, calls.Failed)
	if r.Untidy != "" {
		add("Teardown", "failed: %s", r.Untidy)
	}
	add("Ran", "%s UTC, for %s", r.Started.UTC().Format("2006-01-02 15:04:05"), span(r.DurationMS))
	return out
}

// held says for how long a fault was there and what ended it.
func held(f scenarios.FaultLine) string {
	acted := spansOf(f)
	if len(acted) == 0 {
		return ", it never acted"
	}
	whole, times := 0.0, ""
	for _, s := range acted {
		whole += s.ToMS - s.FromMS
	}
	if len(acted) > 1 {
		times = fmt.Sprintf(" in %d rounds", len(acted))
	}
	return fmt.Sprintf(", for %s%s; healed by %s", span(whole), times, cmp.Or(f.HealedBy, "nobody"))
}

// spansOf is when a fault acted, also where a report has its first and last time alone.
func spansOf(f scenarios.FaultLine) []scenarios.Acted {
	if len(f.Spans) == 0 && f.HealedMS > f.ArmedMS {
		return []scenarios.Acted{{FromMS: f.ArmedMS, ToMS: f.HealedMS, By: f.HealedBy}}
	}
	return f.Spans
}

// properties puts what failed first, and what does not apply apart.
func properties(r *scenarios.Report) (judged, skipped []property) {
	for _, p := range r.Sorted() {
		v := property{PropertyLine: p, Word: p.Verdict.String()}
		if p.ToMS > p.FromMS {
			v.When = clock(p.FromMS) + " to " + clock(p.ToMS)
		}
		if p.Verdict == verdict.Skipped {
			skipped = append(skipped, v)
		} else {
			judged = append(judged, v)
		}
	}
	return judged, skipped
}

// A sight is what a check saw in runs that came one after another.
type sight struct {
	Name, Status, Message, When, Slowest string
	Runs                                 int
}

// sights joins the runs of each check that say the same.
func sights(checks []scenarios.CheckLine) []sight {
	var names []string
	runs := map[string][]scenarios.CheckLine{}
	for _, c := range checks {
		if runs[c.Name] == nil {
			names = append(names, c.Name)
		}
		runs[c.Name] = append(runs[c.Name], c)
	}
	var out []sight
	for _, name := range names {
		for left := runs[name]; len(left) > 0; {
			n := slices.IndexFunc(left, func(c scenarios.CheckLine) bool {
				return c.Status != left[0].Status || c.Message != left[0].Message
			})
			if n < 0 {
				n = len(left)
			}
			out = append(out, oneSight(left[:n]))
			left = left[n:]
		}
	}
	return out
}

func oneSight(runs []scenarios.CheckLine) sight {
	first, last, slowest := runs[0], runs[len(runs)-1], 0.0
	for _, c := range runs {
		slowest = max(slowest, c.DurationMS)
	}
	return sight{
		Name: first.Name, Status: first.Status.String(), Message: first.Message, Runs: len(runs),
		When: clock(first.AtMS) + " to " + clock(last.AtMS+last.DurationMS), Slowest: span(slowest),
	}
}
