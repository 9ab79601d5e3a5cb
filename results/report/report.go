// Package report writes the results of checks that ran once, for people, programs, CI
// and monitoring systems. It must never judge: status and cause are what it was given.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/foreshock/foreshock/internal/junit"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// Formats lists what Write can write.
func Formats() []string { return []string{"text", "json", "junit", "nagios"} }

// Write writes the results in a format: text, json (a line each), junit, or nagios (a
// plugin's line each, with performance data).
func Write(w io.Writer, format string, rs []results.Result) error {
	switch format {
	case "text":
		return text(w, rs)
	case "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, r := range rs {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	case "junit":
		return asJUnit(rs).Write(w)
	case "nagios":
		for _, r := range rs {
			if _, err := fmt.Fprintln(w, nagios(r)); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("format: %s", kind.UnknownWord("format", format, Formats()))
}

// text writes a line for each result, and for one that is not ok its steps.
func text(w io.Writer, rs []results.Result) error {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "%-8s  %-24s  %9s", r.Status, oneLine(r.Check), r.Duration.Round(time.Millisecond/10))
		if r.Status == results.OK {
			b.WriteString("\n")
			continue
		}
		fmt.Fprintf(&b, "  %s\n", strings.TrimSuffix(fmt.Sprintf("%s: %s", r.Cause, indent(r.Message)), ": "))
		for _, s := range listed(r.Steps) {
			if !reached(s) {
				fmt.Fprintf(&b, "          %-24s  %9s  not reached\n", "  "+oneLine(s.Name), "-")
				continue
			}
			fmt.Fprintf(&b, "          %-24s  %9s  %s\n", "  "+oneLine(s.Name), s.Duration.Round(time.Millisecond/10), s.Status)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// reached reports whether a step was begun: a run records those after one that failed too.
func reached(s results.Step) bool {
	return s.Duration > 0 || s.Status != results.Unknown || s.Cause != results.CauseStopped
}

func indent(message string) string {
	return strings.ReplaceAll(printable(message), "\n", "\n"+strings.Repeat(" ", 47))
}

// printable keeps what a service said from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return ' '
		}
		return r
	}, s)
}

func oneLine(s string) string { return printable(strings.ReplaceAll(s, "\n", "; ")) }

func asJUnit(rs []results.Result) *junit.Suite {
	s := &junit.Suite{Name: "foreshock check"}
	for _, r := range rs {
		o := junit.Passed
		switch r.Status {
		case results.Critical:
			o = junit.Failed
		case results.Unknown:
			o = junit.Errored
		case results.OK, results.Warning:
		}
		s.Add(r.Kind, r.Check, r.Duration, o, string(r.Cause), r.Message)
		s.Time += r.Duration.Seconds()
	}
	return s
}
