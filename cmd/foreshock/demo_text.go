package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// result prints what one run of a check found.
func (p *program) result(r *results.Result) {
	text, below := r.Message, ""
	if len(text) > 50 { // below, where it has the whole width
		text, below = "", text
	}
	p.say("   %s  %-8s  %-16s  %7s  %s", p.status(r.Status), r.Kind, r.Check, took(r.Status, r.Duration), text)
	if below != "" {
		p.say("      %s", below)
	}
}

// took is how long a look lasted; one that told nothing lasted no time worth telling.
func took(s results.Status, d time.Duration) string {
	if s == results.Unknown {
		return "-"
	}
	return brief(d)
}

// brief is a duration as people say it.
func brief(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// demoStory tells from the report how the traffic to payments stopped and came back,
// and what a customer saw meanwhile.
func (p *program) demoStory(r *scenarios.Report) {
	if len(r.Faults) == 0 {
		p.say("   There was no fault: %s", r.Reason)
		return
	}
	p.heading("3. What the shop did, and what its customers saw")
	w := tabwriter.NewWriter(p.stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "phase\tlasted\tcheckouts\tpaid\tpay later\tfailed\tconnections to payments\tmedian\tslowest\t")
	for _, ph := range r.Phases {
		if ph.Calls == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", ph.Name, brief(ms(ph.ToMS-ph.FromMS)), ph.Calls, ph.Success,
			ph.Rejected, ph.Failed, ph.Attempts, brief(ms(ph.P50MS)), brief(ms(ph.MaxMS)))
	}
	_ = w.Flush()
	p.say("")
	for _, c := range journeysOf(r) {
		after := ""
		if c.Status != results.Unknown {
			after = " in " + brief(ms(c.DurationMS))
		}
		p.say("   %-24s  %s  %s%s: %s", c.when, p.status(c.Status), c.Name, after, c.Message)
	}
}

func ms(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }

// A sight is what a customer saw, and when.
type sight struct {
	scenarios.CheckLine
	when string
}

// journeysOf picks the last journey before the fault, and the last under it.
func journeysOf(r *scenarios.Report) []sight {
	var before, under *sight
	for _, c := range r.Checks {
		if c.Name != demoJourney || len(r.Faults) == 0 || r.Faults[0].ArmedMS == 0 {
			continue
		}
		switch f, end := r.Faults[0], c.AtMS+c.DurationMS; {
		case end < f.ArmedMS:
			before = &sight{c, "before the fault"}
		case c.AtMS >= f.ArmedMS && end < f.HealedMS:
			under = &sight{c, "while payments was away"}
		}
	}
	var out []sight
	for _, s := range []*sight{before, under} {
		if s != nil {
			out = append(out, *s)
		}
	}
	return out
}

// demoJourney is the check of the sample shop that is a customer.
const demoJourney = "buy-a-mug"

// demoHints says where to go from here.
func (p *program) demoHints(d demoFlags, r *scenarios.Report, stays bool) {
	if r.ExitCode == exitUnsure {
		p.say("\nTo see what is missing on this machine, and how to get it: foreshock doctor")
	}
	if r.ExitCode == exitYes && d.breaker == "on" {
		p.say("\nThe same without a breaker, to see it fail: --breaker=off")
	}
	if stays {
		p.say("\nThe shop and its checks go on, and the dashboard shows them. Ctrl-C ends everything.")
	}
}

// status is the word for s, padded, in its colour.
func (p *program) status(s results.Status) string {
	return p.paint(colourOf(s), fmt.Sprintf("%-8s", s))
}

func colourOf(s results.Status) string {
	switch s {
	case results.OK:
		return green
	case results.Critical:
		return red
	case results.Warning, results.Unknown:
	}
	return yellow
}

// heading begins a part of the demo.
func (p *program) heading(text string) { p.say("\n%s\n", p.paint(bold, text)) }

// say prints a line on standard output.
func (p *program) say(format string, args ...any) {
	fmt.Fprintln(p.stdout, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}
