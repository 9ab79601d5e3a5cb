package page

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/foreshock/foreshock/scenarios"
)

// lanes are all that happened, from what was done to what users saw of it.
func (a *axis) lanes(r *scenarios.Report) []lane {
	top := a.times()
	top.Key = "top"
	out := []lane{top}
	for _, f := range r.Faults {
		out = append(out, a.fault(f))
	}
	out = append(out, a.seen(r))
	if l, ok := a.reported(r.Timeline); ok {
		out = append(out, l)
	}
	out = append(out, a.calls(r.Timeline), a.attempts(r))
	return append(out, a.checks(r.Checks)...)
}

// labelled adds a band with the first of the names that there is room for.
func (a *axis) labelled(l *lane, from, to float64, class, title string, names ...string) {
	b := a.band(from, to, class, title)
	b.Y, b.H = l.Height/2-10, 20
	l.Bands = append(l.Bands, b)
	l.Texts = append(l.Texts, labels(a.at(from), a.at(to)-a.at(from), l.Height/2+4, names...)...)
}

// state is the class of a state's colour.
func state(s string) string {
	switch s {
	case "closed", "open", "half-open", "baseline", "recovered":
		return s
	}
	return "other"
}

func (a *axis) fault(f scenarios.FaultLine) lane {
	l := a.lane("fault", "Fault: "+f.Kind, f.To, 38)
	acted := spansOf(f)
	l.Label = fmt.Sprintf("fault %s %s, armed %s", f.Kind, f.To, plural(len(acted), "time", "times"))
	for i, s := range acted {
		name := "armed"
		if len(acted) > 1 {
			name = fmt.Sprintf("round %d", i+1)
		}
		names := []string{name + " " + span(s.ToMS-s.FromMS), name}
		if s.By != "" && s.By != "owner" {
			names = []string{name + ", ended by " + s.By, "by " + s.By}
		}
		a.labelled(&l, s.FromMS, s.ToMS, "fault",
			fmt.Sprintf("%s %s: armed at %s, healed at %s by %s", f.Kind, f.To, clock(s.FromMS), clock(s.ToMS), cmp.Or(s.By, "nobody")), names...)
		l.Label += fmt.Sprintf("; from %s to %s", clock(s.FromMS), clock(s.ToMS))
	}
	if len(acted) == 0 {
		l.Texts = append(l.Texts, text{X: "0%", Y: 23, Text: "it never acted", Class: "w m n plain"})
	}
	return l
}

// seen is the breaker's state as it could be told from outside: the phases of the run,
// of which the table has the figures.
func (a *axis) seen(r *scenarios.Report) lane {
	l := a.lane("seen", "Breaker seen", "from outside", 38)
	l.Label = "the breaker's state as seen from outside, phase by phase; the table below has their figures"
	opened, never := false, -1 // in the last of the phases that could have opened it
	for i, p := range r.Phases {
		opened = opened || p.Name == "open"
		if p.Name == "closed" && p.Calls > 0 {
			never = i
		}
	}
	for i, p := range r.Phases {
		names := []string{p.Name + " " + span(p.ToMS-p.FromMS), p.Name}
		if i == never && !opened {
			names = append([]string{"closed: it was not seen to open"}, names...)
		}
		title := fmt.Sprintf("%s from %s to %s: %s, %s", p.Name, clock(p.FromMS), clock(p.ToMS), plural(p.Calls, "call", "calls"), plural(p.Attempts, "attempt", "attempts"))
		a.labelled(&l, p.FromMS, p.ToMS, state(p.Name), title, names...)
		l.Label += "; " + title
	}
	if len(r.Phases) == 0 {
		l.Texts = append(l.Texts, text{X: "0%", Y: 23, Text: "it was not looked at", Class: "w m n plain"})
	}
	return l
}

// reported is the breaker's state as it told of itself, each look until the next one.
func (a *axis) reported(timeline []scenarios.Entry) (lane, bool) {
	l := a.lane("reported", "Breaker's word", "as it reports", 38)
	l.Label = "the breaker's state as reported by itself"
	word := func(e scenarios.Entry) (class, name string) {
		if e.To == "" {
			return "unread", "not readable"
		}
		return state(e.To), e.To
	}
	var looks []scenarios.Entry
	for _, e := range timeline {
		if e.Type != "reported" {
			continue
		}
		if n := len(looks); n == 0 || looks[n-1].To != e.To {
			looks = append(looks, e)
		}
	}
	for i, e := range looks {
		to := a.end
		if i+1 < len(looks) {
			to = looks[i+1].AtMS
		}
		class, name := word(e)
		title := fmt.Sprintf("%s from %s to %s", name, clock(e.AtMS), clock(to))
		l.Label += "; " + title
		if e.Error != "" {
			title += ": " + e.Error
		}
		n := len(l.Texts)
		a.labelled(&l, e.AtMS, to, class, title, name+" "+span(to-e.AtMS), name)
		if class == "unread" { // it would not be readable either
			for i := range l.Texts[n:] {
				l.Texts[n+i].Class += " outlined"
			}
		}
	}
	return l, len(looks) > 0
}

// attempts are the connections that somebody began towards the dependency, with their
// number in each phase.
func (a *axis) attempts(r *scenarios.Report) lane {
	l := a.lane("attempts", "Attempts", "", 46)
	seen := map[string]int{}
	for _, e := range r.Timeline {
		if e.Type == "attempt" {
			seen[percent(cell(a.at(e.AtMS), 0.1))]++
		}
	}
	total := 0
	for x, n := range seen {
		total += n
		l.Ticks = append(l.Ticks, rule{X: x, Y: 21, To: 42, Class: "attempt"})
	}
	l.Note = fmt.Sprintf("%d seen by the kernel", total)
	slices.SortFunc(l.Ticks, func(a, b rule) int { return cmp.Compare(a.X, b.X) })
	l.Label = fmt.Sprintf("%s seen by the kernel", plural(total, "connection attempt", "connection attempts"))
	for i, p := range r.Phases {
		l.Texts = append(l.Texts, centred(a.at(p.FromMS), a.at(p.ToMS)-a.at(p.FromMS), 14, fmt.Sprint(p.Attempts))...)
		l.Label += fmt.Sprintf("; %s: %d", p.Name, p.Attempts)
		if i > 0 {
			l.Ticks = append(l.Ticks, rule{X: a.x(p.FromMS), Y: 2, To: 18, Class: "border"})
		}
	}
	return l
}

// checks has a lane for each journey and check.
func (a *axis) checks(checks []scenarios.CheckLine) []lane {
	var out []lane
	for _, c := range checks {
		i := slices.IndexFunc(out, func(l lane) bool { return l.Name == c.Name })
		if i < 0 {
			i = len(out)
			l := a.lane("check", c.Name, "check", 26)
			l.Label = "runs of the check " + c.Name + "; the table below has their messages"
			out = append(out, l)
		}
		title := fmt.Sprintf("%s was %s at %s, in %s", c.Name, c.Status, clock(c.AtMS), span(c.DurationMS))
		if c.Message != "" {
			title += ": " + c.Message
		}
		b := a.band(c.AtMS, c.AtMS+c.DurationMS, "run "+c.Status.String(), title)
		b.Y, b.H = 6, 14
		out[i].Bands = append(out[i].Bands, b)
		out[i].Ticks = append(out[i].Ticks, rule{X: b.X, Y: 6, To: 20, Class: "run " + c.Status.String(), Title: title})
	}
	return out
}
