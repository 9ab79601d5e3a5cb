package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/foreshock/foreshock/faults"
)

// writeFaultPlan shows what an installation would do: rules and the connections that
// they would meet, or processes.
func writeFaultPlan(w io.Writer, indent string, f faults.Fault, plan faults.Plan) {
	lines := func(title string, lines []string) {
		fmt.Fprintf(w, "%s%s\n", indent, title)
		for _, l := range lines {
			fmt.Fprintf(w, "%s  %s\n", indent, l)
		}
	}
	if plan.Irreversible {
		fmt.Fprintf(w, "%sIRREVERSIBLE: no lease and no command heals it\n", indent)
	}
	if !faults.Counts(f) {
		lines(fmt.Sprintf("processes that %s of %s would hit:", f.Kind(), f.Target()), plan.Processes)
		return
	}
	for _, warning := range plan.Warnings {
		fmt.Fprintf(w, "%swarning: %s\n", indent, warning)
	}
	lines(fmt.Sprintf("rules of %s %s:", f.Kind(), f.Target()), plan.Rules)
	var live []string
	for _, c := range plan.Live {
		live = append(live, c.String())
	}
	lines(fmt.Sprintf("live connections that it would meet: %d", len(live)), live)
}

func (p *program) printEvidence(format string, e faults.Evidence) {
	if format == "json" {
		_ = json.NewEncoder(p.stdout).Encode(e)
		return
	}
	healed := "healed by " + e.HealedBy
	if e.Irreversible {
		healed = "irreversible: nothing heals it"
	}
	fmt.Fprintf(p.stdout, "%s of %s (%s), %s\n", e.Kind, e.To, strings.Join(e.Resolved, ", "), healed)
	switch e.Unit {
	case "threads":
		fmt.Fprintf(p.stdout, "  stopped      %d threads\n", e.Packets)
	case "processes":
		fmt.Fprintf(p.stdout, "  ended        %d of %d processes\n", e.Packets, len(e.Resolved))
	default:
		fmt.Fprintf(p.stdout, "  packets met  %d\n  attempts     %d\n", e.Packets, e.Attempts)
	}
	if !e.FirstHit.IsZero() {
		fmt.Fprintf(p.stdout, "  first hit    %v after arming\n", e.FirstHit.Sub(e.Spans[0].From).Round(time.Microsecond))
	} else {
		fmt.Fprintln(p.stdout, "  first hit    none: no packet came by, so nothing was tested")
	}
	for _, s := range e.Spans {
		if !s.To.IsZero() {
			fmt.Fprintf(p.stdout, "  acted        %v, until %s\n", s.To.Sub(s.From).Round(time.Millisecond), s.By)
		}
	}
	if e.Unit != "packets" {
		for _, r := range e.Rules {
			fmt.Fprintf(p.stdout, "  %s\n", r)
		}
	}
	for _, line := range [][2]string{{"tampered", e.Tampered}, {"outrun", outrun(e.Foreign)}, {"audit", e.Unaudited}, {"warnings", strings.Join(e.Warnings, "; ")}} {
		if line[1] != "" {
			fmt.Fprintf(p.stdout, "  %-12s %s\n", line[0], line[1])
		}
	}
	if e.Overrun > 0 {
		fmt.Fprintf(p.stdout, "  overrun      %d packets went on unbroken: more came than could be held\n", e.Overrun)
	}
	if e.Gone > 0 {
		fmt.Fprintf(p.stdout, "  gone         %d packets were dropped by the kernel while they were held\n", e.Gone)
	}
	if e.Lapses > 0 {
		fmt.Fprintf(p.stdout, "  lapses       %d: the lease was renewed too late, after %v\n", e.Lapses, e.LongestGap)
	}
}

// outrun says which rules took packets, or may have, before the fault met them.
func outrun(foreign []string) string {
	if len(foreign) == 0 {
		return ""
	}
	return "rules of others came first, and may have let packets pass: " + strings.Join(foreign, "; ")
}
