package scenarios

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// A report shows the file that was run, without secrets.
func TestDefinition(t *testing.T) {
	t.Parallel()
	s := &Spec{text: "name: outage\ntoken: hunter22\n", secrets: &kind.Secrets{}}
	s.secrets.Add("hunter22")
	if got := s.definition(); got != "name: outage\ntoken: ***\n" {
		t.Errorf("got %q", got)
	}
}

// A stored result carries the report as a page beside the JSON, unless that is huge or
// cannot be drawn: then it is without, and the verdict is the same.
func TestRecordKeepsPage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page func(io.Writer, *Report) error
		want string
	}{
		"none": {nil, "report.json"},
		"page": {func(w io.Writer, r *Report) error { _, err := io.WriteString(w, r.Scenario); return err }, "report.json report.html"},
		"huge": {func(w io.Writer, _ *Report) error {
			_, err := io.WriteString(w, strings.Repeat("x", mostPage+1))
			return err
		}, "report.json"},
		"wrong": {func(io.Writer, *Report) error { return errors.New("not drawn") }, "report.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Engine{Page: c.page, Log: slog.New(slog.DiscardHandler)}
			rec := results.NewRecorder()
			err := e.Record(t.Context(), rec, &Report{Scenario: "outage", Verdict: verdict.Pass})
			res := rec.Finish(err)
			var names []string
			for _, s := range res.Steps {
				for _, a := range s.Artifacts {
					names = append(names, a.Name)
				}
			}
			if got := strings.Join(names, " "); err != nil || got != c.want {
				t.Errorf("got %q, error %v, want %q", got, err, c.want)
			}
		})
	}
}
