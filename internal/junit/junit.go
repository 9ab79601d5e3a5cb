// Package junit writes JUnit XML as CI systems read it. Everything that writes JUnit
// goes through it, so that the words agree: a failure is the service's, an error is
// what could not be told, and skipped does not apply.
package junit

import (
	"encoding/xml"
	"io"
	"math"
	"time"
)

// A Suite is one testsuite element. Its counts are made by Add.
type Suite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     float64  `xml:"time,attr"`                // seconds
	Started  string   `xml:"timestamp,attr,omitempty"` // ISO 8601 in UTC, without a zone
	Cases    []Case   `xml:"testcase"`
}

// A Case is one testcase element.
type Case struct {
	Class   string  `xml:"classname,attr"`
	Name    string  `xml:"name,attr"`
	File    string  `xml:"file,attr,omitempty"` // where it is written down
	Line    int     `xml:"line,attr,omitempty"`
	Time    float64 `xml:"time,attr"` // seconds
	Failure *Note   `xml:"failure"`
	Error   *Note   `xml:"error"`
	Skipped *Note   `xml:"skipped"`
}

// A Note says what was wrong.
type Note struct {
	Message string `xml:"message,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// An Outcome is how a case ended.
type Outcome uint8

// The outcomes.
const (
	Passed Outcome = iota
	Failed
	Errored
	Skipped
)

// Add appends a case that took a time and ended in an outcome; message and text say
// why. The case it returns may be told where it is written down, before the next Add.
func (s *Suite) Add(class, name string, took time.Duration, o Outcome, message, text string) *Case {
	c := Case{Class: class, Name: name, Time: short(took.Seconds())}
	note := &Note{message, text}
	switch o {
	case Passed:
	case Failed:
		c.Failure = note
		s.Failures++
	case Errored:
		c.Error = note
		s.Errors++
	case Skipped:
		c.Skipped = note
		s.Skipped++
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
	return &s.Cases[len(s.Cases)-1]
}

// Write writes the suite with the XML header.
func (s *Suite) Write(w io.Writer) error {
	whole := *s
	whole.Time = short(s.Time)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(whole); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// short rounds to what is written without an exponent, which not every reader takes.
func short(seconds float64) float64 { return math.Round(seconds*1e4) / 1e4 }
