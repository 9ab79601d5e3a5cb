package lab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Row is the row of a case that was not looked at yet.
func (c Case) Row() Row {
	return Row{
		Case: c.Name, Right: len(c.Names) == 0, Language: c.Language,
		Expected: append([]string{}, c.Names...), Failed: []string{}, Unsure: []string{}, Outcome: NotLooked,
	}
}

// WriteRow writes one line of a row, and another of its reason where it is not a hit.
func WriteRow(w io.Writer, r Row) {
	fmt.Fprintf(w, "%-11s  %-28s  %-7s  %4.1f s  %-12s  %s\n", r.Outcome, r.Case, r.Language, r.Seconds, cmp.Or(r.Verdict, "-"), strings.Join(r.Failed, ", "))
	if r.Outcome != Hit {
		fmt.Fprintf(w, "%-11s  want %s; %s\n", "", want(r), r.Reason)
	}
}

func want(r Row) string {
	if r.Right {
		return "pass"
	}
	return "fail of " + strings.Join(r.Expected, " or ")
}

// outcomes lists them in the order of a summary.
func outcomes() []Outcome {
	return []Outcome{Hit, Miss, Misnamed, FalseAlarm, NoVerdict, NotLooked}
}

// WriteSummary writes how many rows came to what, and how long a verdict took.
func WriteSummary(w io.Writer, rows []Row) {
	count := map[Outcome]int{}
	longest := Row{}
	for _, r := range rows {
		count[r.Outcome]++
		if r.Seconds > longest.Seconds {
			longest = r
		}
	}
	var parts []string
	for _, o := range outcomes() {
		if count[o] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", o, count[o]))
		}
	}
	fmt.Fprintf(w, "%d verdicts: %s. The longest took %.1f s (%s).\n", len(rows), strings.Join(parts, ", "), longest.Seconds, longest.Case)
}

// WriteMarkdown writes the detection matrix: a line for each case, in their order and
// whatever the rounds.
func WriteMarkdown(w io.Writer, rows []Row) {
	fmt.Fprintln(w, "| breaker | what it is | in | should fail by | failed by | came to | seconds |\n|---|---|---|---|---|---|---|")
	for _, c := range Cases() {
		var rs []Row
		for _, r := range rows {
			if r.Case == c.Name {
				rs = append(rs, r)
			}
		}
		if len(rs) == 0 {
			continue
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %.1f |\n", c.Name, c.Summary, c.Language, words(c.Names), words(failed(rs)), cameTo(rs), longest(rs))
	}
	fmt.Fprintln(w)
	WriteSummary(w, rows)
}

// words are the ids of properties, or nothing.
func words(ids []string) string {
	if len(ids) == 0 {
		return "-"
	}
	return strings.Join(ids, ", ")
}

// failed are the properties that failed in any of the rows.
func failed(rs []Row) []string {
	var ids []string
	for _, r := range rs {
		ids = append(ids, r.Failed...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// cameTo says what the rows of one case came to, and how often.
func cameTo(rs []Row) string {
	var parts []string
	for _, o := range outcomes() {
		n := 0
		for _, r := range rs {
			if r.Outcome == o {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d/%d", o, n, len(rs)))
		}
	}
	return strings.Join(parts, ", ")
}

func longest(rs []Row) float64 {
	return slices.MaxFunc(rs, func(a, b Row) int { return cmp.Compare(a.Seconds, b.Seconds) }).Seconds
}
