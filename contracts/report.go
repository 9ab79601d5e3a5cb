package contracts

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Schema names the format of [WriteJSON].
const Schema = "foreshock.contract/1"

// WriteText writes the report for people: what is not ok with all of its differences.
func WriteText(w io.Writer, r Report) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "contract of %s at %s\n", r.Provider, r.URL)
	for _, in := range r.Interactions {
		fmt.Fprintf(b, "  %-14s  %s (%v)\n", in.word(), in.Given(), in.Duration.Round(time.Millisecond))
		for _, m := range in.Mismatches {
			fmt.Fprintf(b, "  %14s    %s\n", "", oneLine(m.String()))
		}
		if in.Message != "" {
			fmt.Fprintf(b, "  %14s    %s\n", "", oneLine(strings.TrimPrefix(string(in.Cause)+": "+in.Message, ": ")))
		}
	}
	for _, p := range r.PassedOver {
		fmt.Fprintf(b, "  %-14s  %s\n", "passed over", p)
	}
	for _, n := range r.Notices {
		fmt.Fprintf(b, "  %-14s  %s\n", "broker", oneLine(n))
	}
	fmt.Fprintln(b, r.summary())
	return b.Flush()
}

// word is the outcome, and whether it counts.
func (in Interaction) word() string {
	if in.excused() {
		return "pending"
	}
	return string(in.Outcome)
}

func (r Report) summary() string {
	if len(r.Interactions) == 0 {
		return "nothing was verified"
	}
	var parts []string
	for _, o := range []Outcome{OK, Broken, Unreachable, NotApplicable} {
		if n := r.Count(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	if n := r.pending(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d pending", n))
	}
	text := strings.Join(parts, ", ")
	if r.ExitCode() == exitNothing {
		return "nothing was verified: " + text
	}
	return text
}

func (r Report) pending() int {
	n := 0
	for _, in := range r.Interactions {
		if in.excused() {
			n++
		}
	}
	return n
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

type jsonReport struct {
	Schema       string            `json:"schema"`
	Provider     string            `json:"provider"`
	URL          string            `json:"url"`
	Verifier     string            `json:"verifier,omitempty"`
	ExitCode     int               `json:"exit_code"`
	Started      time.Time         `json:"started"`
	DurationMS   float64           `json:"duration_ms"`
	Interactions []jsonInteraction `json:"interactions"`
	PassedOver   []string          `json:"passed_over,omitempty"`
	Notices      []string          `json:"notices,omitempty"`
}

type jsonInteraction struct {
	Consumer    string     `json:"consumer"`
	Description string     `json:"description"`
	States      []string   `json:"states,omitempty"`
	Outcome     Outcome    `json:"outcome"`
	Cause       string     `json:"cause,omitempty"`
	Pending     bool       `json:"pending,omitzero"`
	Message     string     `json:"message,omitempty"`
	Mismatches  []Mismatch `json:"mismatches,omitempty"`
	DurationMS  float64    `json:"duration_ms"`
	ResponseMS  float64    `json:"response_ms,omitempty"` // of it the provider's part
	Type        Type       `json:"type,omitempty"`
	Method      string     `json:"method,omitempty"`
	Path        string     `json:"path,omitempty"`
	File        string     `json:"file"`
	Line        int        `json:"line"`
}

// WriteJSON writes the report as one line of JSON, for programs; fields may be added.
func WriteJSON(w io.Writer, r Report) error {
	out := jsonReport{
		Schema: Schema, Provider: r.Provider, URL: r.URL, ExitCode: r.ExitCode(), Started: r.Start.UTC(),
		DurationMS: millis(r.Duration), Interactions: []jsonInteraction{}, PassedOver: r.PassedOver, Notices: r.Notices,
	}
	if r.Library.Version != "" {
		out.Verifier = "libpact_ffi " + r.Library.Version
	}
	for _, in := range r.Interactions {
		out.Interactions = append(out.Interactions, jsonInteraction{
			Consumer: in.Consumer, Description: in.Description, States: in.States, Outcome: in.Outcome,
			Cause: string(in.Cause), Pending: in.Pending, Message: in.Message, Mismatches: in.Mismatches,
			DurationMS: millis(in.Duration), ResponseMS: millis(in.Response), Type: in.Type, Method: in.Method, Path: in.Path, File: in.File, Line: in.Line,
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// WriteGitHub writes annotations that GitHub Actions shows beside the pact's lines, and
// the summary as text.
func WriteGitHub(w io.Writer, r Report) error {
	b := bufio.NewWriter(w)
	for _, in := range r.Interactions {
		level := "error"
		switch {
		case in.Outcome == OK:
			continue
		case in.excused(), in.Outcome == NotApplicable:
			level = "warning"
		}
		fmt.Fprintf(b, "::%s file=%s,line=%d,title=%s::%s\n", level, property(in.File), in.Line,
			property(fmt.Sprintf("contract of %s %s", r.Provider, in.word())), message(in.Given()+": "+in.reason().Error()))
	}
	if r.ExitCode() == exitNothing {
		fmt.Fprintf(b, "::error title=%s::%s\n", property("contract of "+r.Provider), message(r.nothing().Error()))
	}
	fmt.Fprintln(b, r.summary())
	return b.Flush()
}

// WriteMarkdown writes the report as a summary for a pull request: what is not ok
// first, with its differences.
func WriteMarkdown(w io.Writer, r Report) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "### Contract of %s: %s\n\n", cell(r.Provider), r.summary())
	if len(r.Interactions) > 0 {
		fmt.Fprintln(b, "| | interaction | what |\n|---|---|---|")
	}
	for _, ok := range []bool{false, true} {
		for _, in := range r.Interactions {
			if (in.Outcome == OK) != ok {
				continue
			}
			what := ""
			if !ok {
				what = in.reason().Error()
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", in.word(), cell(in.Given()), cell(what))
		}
	}
	if r.ExitCode() == exitNothing {
		fmt.Fprintf(b, "\n%s\n", cell(r.nothing().Error()))
	}
	for _, p := range r.PassedOver {
		fmt.Fprintf(b, "\nPassed over: %s\n", cell(p))
	}
	fmt.Fprintln(b)
	return b.Flush()
}

// cell writes s so that it is no markup and stays in its cell.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "`", "\\`", "*", "\\*", "[", "\\[", "@", "@\u200b").Replace(oneLine(s))
}

func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(message(s))
}
