package scenarios_test

import (
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// read is what a reader of Markdown sees of a text.
func read(text string) string {
	return strings.NewReplacer(
		"&lt;", "<", "&gt;", ">", "&amp;", "&", "&#58;", ":", "<!-- -->", "", `\\`, `\`, "\\`", "`", `\*`, "*", `\_`, "_", `\[`, "[", `\]`, "]", `\|`, "|", `\#`, "#", `\~`, "~",
	).Replace(text)
}

// markdownAgrees holds the Markdown and the text to what the report says.
func markdownAgrees(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	var md, text strings.Builder
	if err := rep.WriteMarkdown(&md); err != nil {
		t.Fatal(err)
	}
	rep.WriteText(&text)
	want := []string{rep.Scenario + ": " + rep.Verdict.String()}
	for _, p := range rep.Properties {
		want = append(want, p.ID, p.Detail, p.Fix)
	}
	for _, m := range rep.Measured {
		want = append(want, m.Name, m.Declared, m.Measured)
	}
	for name, got := range map[string]string{"Markdown": read(md.String()), "text": text.String()} {
		for _, w := range want {
			if w = strings.Join(strings.Fields(w), " "); !strings.Contains(strings.Join(strings.Fields(got), " "), w) && (name == "Markdown" || !passes(rep, w)) {
				t.Errorf("%s does not say %q", name, w)
			}
		}
	}
}

// passes says that a text is the detail of a property that holds: a terminal shows what
// was observed of it.
func passes(rep *scenarios.Report, text string) bool {
	for _, p := range rep.Properties {
		if p.Verdict == verdict.Pass && strings.Join(strings.Fields(p.Detail), " ") == text {
			return true
		}
	}
	return false
}

// Text of a checked service is no markup in a comment: it ends no cell, row or fold, calls
// nobody and links nowhere.
func TestHostileMarkdown(t *testing.T) {
	t.Parallel()
	const hostile = "a|b\n# c </details> <img src=x> @you `d` [e](http://f) **g**"
	r := &scenarios.Report{
		Scenario: hostile, Verdict: verdict.Fail, Reason: hostile, Host: hostile, Untidy: hostile,
		Properties: []scenarios.PropertyLine{{ID: "trips-at-threshold", Verdict: verdict.Fail, Expected: hostile, Observed: hostile, Detail: hostile, Fix: hostile}},
		Measured:   []scenarios.Measure{{Name: "opens after", Declared: hostile, Measured: hostile}},
		Faults:     []scenarios.FaultLine{{Kind: "drop", To: hostile, Rules: []string{"-A x\n</details>"}}},
	}
	var b strings.Builder
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, bad := range []string{"\n# c", "<img", "@you", "`d`", "[e]", "http://f", "**g**", " a|b"} {
		if strings.Contains(got, bad) {
			t.Errorf("got %q in\n%s", bad, got)
		}
	}
	if opened, closed := strings.Count(got, "<details>"), strings.Count(got, "\n</details>"); opened != 2 || closed != 2 {
		t.Errorf("got %d folds begun and %d ended, want 2", opened, closed)
	}
	if !strings.Contains(read(got), "a|b # c </details> <img src=x> @you `d` [e](http://f) **g**") {
		t.Error("the text is not shown")
	}
}
