package contracts

import (
	"fmt"
	"io"
	"strings"

	"github.com/foreshock/foreshock/internal/junit"
)

// WriteJUnit writes the report for continuous integration: one test case an
// interaction. Broken is a failure; unreachable and nothing verified are errors;
// not applicable and pending are skipped.
func WriteJUnit(w io.Writer, r Report) error {
	s := &junit.Suite{
		Name: "contract of " + r.Provider, Time: r.Duration.Seconds(),
		Started: r.Start.UTC().Format("2006-01-02T15:04:05"),
	}
	for _, in := range r.Interactions {
		outcome, message, text := in.junit()
		c := s.Add(in.Consumer+" -> "+r.Provider, strings.TrimPrefix(in.Given(), in.Consumer+": "), in.Duration, outcome, message, text)
		c.File, c.Line = in.File, in.Line
	}
	if r.ExitCode() == exitNothing {
		s.Add(r.Provider, "something is verified", 0, junit.Errored, r.nothing().Error(), "")
	}
	return s.Write(w)
}

func (in Interaction) junit() (o junit.Outcome, message, text string) {
	if in.Outcome == OK {
		return junit.Passed, "", ""
	}
	for _, m := range in.Mismatches {
		text += fmt.Sprintf("%s: %s\n  expected: %s\n  actual:   %s\n", m.Type, m, m.Expected, m.Actual)
	}
	o = junit.Failed
	switch {
	case in.Outcome == Unreachable:
		o = junit.Errored
	case in.Outcome == NotApplicable, in.excused():
		o = junit.Skipped
	}
	return o, in.word() + ": " + oneLine(in.reason().Error()), text
}
