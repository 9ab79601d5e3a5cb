package contracts

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suite   suite    `xml:"testsuite"`
}

type suite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr"`
	Cases     []testcase `xml:"testcase"`
}

type testcase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	File    string   `xml:"file,attr,omitempty"`
	Line    int      `xml:"line,attr,omitempty"`
	Time    string   `xml:"time,attr"`
	Failure *problem `xml:"failure"`
	Error   *problem `xml:"error"`
	Skipped *problem `xml:"skipped"`
}

type problem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report for continuous integration: one test case an
// interaction. Broken is a failure; unreachable and nothing verified are errors;
// not applicable and pending are skipped.
func WriteJUnit(w io.Writer, r Report) error {
	s := suite{
		Name: "contract of " + r.Provider, Time: seconds(r.Duration),
		Timestamp: r.Start.UTC().Format("2006-01-02T15:04:05"),
	}
	for _, in := range r.Interactions {
		s.add(testcase{
			Class: in.Consumer + " -> " + r.Provider, Name: strings.TrimPrefix(in.Given(), in.Consumer+": "),
			File: in.File, Line: in.Line, Time: seconds(in.Duration),
		}, in)
	}
	if r.ExitCode() == exitNothing {
		s.Errors++
		s.Cases = append(s.Cases, testcase{
			Class: r.Provider, Name: "something is verified", Time: seconds(0),
			Error: &problem{Type: "nothing", Message: r.nothing().Error()},
		})
	}
	s.Tests = len(s.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suites{Suite: s}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *suite) add(c testcase, in Interaction) {
	if in.Outcome != OK {
		p := &problem{Type: in.word(), Message: oneLine(in.reason().Error())}
		for _, m := range in.Mismatches {
			p.Text += fmt.Sprintf("%s: %s\n  expected: %s\n  actual:   %s\n", m.Type, m, m.Expected, m.Actual)
		}
		switch {
		case in.Outcome == Unreachable:
			c.Error = p
			s.Errors++
		case in.Outcome == NotApplicable, in.excused():
			c.Skipped = p
			s.Skipped++
		default:
			c.Failure = p
			s.Failures++
		}
	}
	s.Cases = append(s.Cases, c)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
