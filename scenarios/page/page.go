// Package page draws the reports of scenarios as one HTML file that a person can put
// into a pull request: verdict and reason first, then what happened on one axis, then
// the properties, the recovery, the rules and the configuration. It must never judge,
// load anything from elsewhere, need a script, or let text of a checked service become
// more than text.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"unicode"

	"github.com/foreshock/foreshock/scenarios"
)

//go:embed page.tmpl parts.tmpl palette.css page.css
var files embed.FS

// Write writes one page with the reports, in their order; of several, it begins with
// the list of their verdicts.
func Write(w io.Writer, reports ...*scenarios.Report) error {
	if len(reports) == 0 {
		return fmt.Errorf("page: got no report, want at least one")
	}
	v := view{Style: style()}
	for i, r := range reports {
		v.Reports = append(v.Reports, viewReport(fmt.Sprintf("r%d", i+1), r))
	}
	v.Title = v.Reports[0].Scenario + ": " + v.Reports[0].Verdict
	if n := len(reports); n > 1 {
		v.Title = fmt.Sprintf("%d scenarios", n)
	}
	t, err := template.New("page.tmpl").ParseFS(files, "*.tmpl")
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	var b bytes.Buffer // nothing is written of a page that cannot be drawn
	if err := t.Execute(&b, v); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	_, err = w.Write(printable(b.Bytes()))
	return err
}

// printable leaves out what no drawing may hold as XML, and no reader wants to see.
func printable(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, bytes.ToValidUTF8(b, []byte("\uFFFD")))
}

// A view is all that the template shows.
type view struct {
	Title   string
	Style   template.CSS
	Reports []report
}

func style() template.CSS {
	var all []byte
	for _, name := range []string{"palette.css", "page.css"} {
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err) // embedded: it is there, or the program was not built
		}
		all = append(all, b...)
	}
	return template.CSS(all) //nolint:gosec // our own file
}
