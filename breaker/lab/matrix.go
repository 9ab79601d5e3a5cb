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

// WriteMarkdown writes the detection matrix: a line for each case, whatever the rounds.
func WriteMarkdown(w io.Writer, rows []Row) {
	fmt.Fprintln(w, "| breaker | language | known as | named by | found | seconds |\n|---|---|---|---|---|---|")
	var names []string
	byName := map[string][]Row{}
	for _, r := range rows {
		if len(byName[r.Case]) == 0 {
			names = append(names, r.Case)
		}
		byName[r.Case] = append(byName[r.Case], r)
	}
	summaries := map[string]string{}
	for _, c := range Cases() {
		summaries[c.Name] = c.Summary
	}
	for _, name := range names {
		rs := byName[name]
		known, named := "right", "-"
		if !rs[0].Right {
			known = "wrong"
			named = "`" + strings.Join(rs[0].Expected, "`, `") + "`"
		}
		fmt.Fprintf(w, "| %s: %s | %s | %s | %s | %s | %.1f |\n", name, summaries[name], rs[0].Language, known, named, found(rs), longest(rs))
	}
	fmt.Fprintln(w)
	WriteSummary(w, rows)
}

// found says what the rows of one case came to: of a hit, how often.
func found(rs []Row) string {
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
