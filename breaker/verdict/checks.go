package verdict

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// isolated: checks of what does not need the dependency stay well while it is away.
func isolated(d Declared, o *Observed) Property {
	p := Property{Expected: "well throughout: " + strings.Join(d.Isolated, ", "), Span: o.fault()}
	if len(d.Isolated) == 0 {
		p.Expected = ""
		p.Verdict, p.Detail = Skipped, "No check is declared as isolated."
		return p
	}
	judgeChecks(&p, d.Isolated, o)
	return p
}

// answerWhileOpen: while the breaker is open, callers get the declared answer, and
// the checks that are declared to stay well do.
func answerWhileOpen(d Declared, o *Observed) Property {
	p := Property{Expected: "the declared answer to every call"}
	span, _, tripped := shouldBeOpen(d, o)
	if !d.Answer && len(d.WhileOpen) == 0 {
		p.Expected = ""
		p.Verdict, p.Detail = Skipped, "Neither an answer (rejected, fallback) nor a check (while_open) is declared."
		return p
	}
	p.Span = span
	if !tripped && span.Length() == 0 && o.Doubt != "" {
		p.Verdict, p.Detail = Inconclusive, notSeen(o)
		return p
	}
	if d.Answer {
		calls, _ := fit(d, o, span)
		judgeAnswers(&p, calls)
	}
	if len(d.WhileOpen) == 0 || p.Verdict != Pass {
		return p
	}
	p.Expected = strings.Join([]string{p.Expected, "well: " + strings.Join(d.WhileOpen, ", ")}, "; ")
	answers := p.Observed
	p.End = max(p.End, o.fault().End)
	judgeChecks(&p, d.WhileOpen, o)
	p.Observed = strings.TrimPrefix(answers+"; "+p.Observed, "; ")
	return p
}

func judgeAnswers(p *Property, calls []Call) {
	wrong := 0
	var example Call
	for _, c := range calls {
		if c.Outcome != Rejected {
			wrong++
			example = c
		}
	}
	p.Observed = fmt.Sprintf("%d of %d calls got it", len(calls)-wrong, len(calls))
	switch {
	case len(calls) == 0:
		p.Verdict, p.Detail = Inconclusive, "No call was made while the breaker should have been open."
	case wrong > 0:
		p.Verdict = Fail
		p.Detail = fmt.Sprintf("%d calls got another answer while the breaker was open: %s.", wrong, cmp.Or(example.Error, example.Outcome.String()))
	default:
		p.Detail = "Every caller got the declared answer while the dependency was away."
	}
}

// judgeChecks judges the runs of the named checks inside p's span. A check that could
// not look leaves the property open.
func judgeChecks(p *Property, names []string, o *Observed) {
	var well []string
	for _, name := range names {
		runs := o.runs(name, p.Span)
		if len(runs) == 0 {
			p.Verdict, p.Detail = Inconclusive, fmt.Sprintf("Check %s did not run from begin to end in this time.", name)
			return
		}
		for _, r := range runs {
			switch {
			case r.Status == results.Critical && r.starved():
				p.Verdict, p.Observed = Inconclusive, name+" ran on a machine short of CPU"
				p.Detail = fmt.Sprintf("Check %s ended after %s, of which the machine was short of CPU for %s: %s.", name, round(r.Took), round(r.Starved), r.Message)
			case r.Status == results.Critical:
				p.Verdict, p.Observed = Fail, fmt.Sprintf("%s was critical %s into the outage", name, round(r.At-o.Armed.Start))
				p.Detail = fmt.Sprintf("Check %s broke during the outage: %s.", name, r.Message)
				return
			case r.Status == results.Unknown:
				p.Verdict, p.Observed = Inconclusive, name+" could not look"
				p.Detail = fmt.Sprintf("Check %s could not look: %s.", name, r.Message)
			}
		}
		well = append(well, fmt.Sprintf("%s well in %d of %d runs", name, len(runs), len(runs)))
	}
	if p.Verdict == Pass {
		p.Observed = strings.Join(well, ", ")
		p.Detail = "What users do went on working during the outage."
	}
}

// starved says that a run may have ended badly for want of CPU alone: it took long,
// and for most of that the machine was short of it.
func (r CheckRun) starved() bool {
	const long = 200 * time.Millisecond
	return r.Took >= long && r.Starved >= r.Took/2
}
