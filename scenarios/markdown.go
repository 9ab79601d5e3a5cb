package scenarios

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// WriteMarkdown writes the report for a comment on a pull request: the verdict and its
// reason, what each failed property needs, what was measured, and the rest folded away.
// Text of the checked service is never more than text.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s %s: %s\n\n%s\n", sign(r.Verdict), plain(r.Scenario), r.Verdict, r.Lead())
	if r.Verdict != verdict.Fail || r.ExitCode == exitLeft {
		fmt.Fprintf(&b, "%s\n", plain(r.Reason))
	}
	if r.Untidy != "" {
		fmt.Fprintf(&b, "\n%s\n", plain(r.untidy()))
	}
	for i, p := range r.with(verdict.Fail) {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "- **%s**: %s\n  Want %s; got %s.\n  *To mend:* %s\n", p.ID, plain(p.Detail), plain(p.Expected), plain(cmp.Or(p.Observed, "nothing")), plain(p.Fix))
	}
	if len(r.Measured) > 0 {
		b.WriteString("\n| the breaker | declared | measured |\n|---|---|---|\n")
		for _, m := range r.Measured {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.TrimSuffix(m.Name+" at "+plain(m.Instance), " at "), plain(m.Declared), plain(m.Measured))
		}
	}
	fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n| property | verdict | expected | observed | what that means |\n|---|---|---|---|---|\n", fmt.Sprintf("All %d properties, and the phases", len(r.Properties)))
	for _, p := range r.Sorted() {
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s | %s |\n", p.ID, sign(p.Verdict), p.Verdict, plain(p.Expected), plain(p.Observed), plain(p.Detail))
	}
	b.WriteString("\n| phase | from | calls | success | rejected | failed | attempts | p99 | slowest |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, p := range r.Phases {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %s | %s |\n", p.Name, short(duration(p.FromMS)), p.Calls, p.Success, p.Rejected, p.Failed, p.Attempts, short(duration(p.P99MS)), short(duration(p.MaxMS)))
	}
	b.WriteString("\n</details>\n")
	r.markdownOrigin(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownOrigin says what was done, by which rules, and by whom.
func (r *Report) markdownOrigin(b *strings.Builder) {
	for _, f := range r.Faults {
		fmt.Fprintf(b, "\n<details><summary>%s %s: %s; %s</summary>\n\n", plain(f.Kind), plain(f.To), f.did(), f.end())
		for _, rule := range f.Rules { // indented is code, whatever it holds
			fmt.Fprintf(b, "    %s\n", strings.ReplaceAll(rule, "\n", " "))
		}
		b.WriteString("\n</details>\n")
	}
	fmt.Fprintf(b, "\nRun `%s` on %s at %s, %s long, by Foreshock %s; file `%.12s`.\n", r.Run, plain(r.Host),
		r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), short(duration(r.DurationMS)), plain(r.Foreshock), r.SHA256)
}

// sign tells verdicts apart at a glance, by shape and not by colour alone.
func sign(v verdict.Verdict) string {
	switch v {
	case verdict.Pass:
		return "✅"
	case verdict.Fail:
		return "❌"
	case verdict.Skipped:
		return "➖"
	case verdict.Inconclusive, verdict.Invalid, verdict.Aborted:
	}
	return "⚠️"
}

// plain is text that Markdown takes for nothing else: no markup, link, mention, table
// cell or line of its own.
func plain(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
		"|", `\|`, "#", `\#`, "~", `\~`, "@", "@<!-- -->", "://", "&#58;//",
	).Replace(s)
}
