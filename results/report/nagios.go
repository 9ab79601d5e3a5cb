package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// nagios writes a line as monitoring plugins do: status, text, and the time of the run
// and of each step as performance data.
func nagios(r results.Result) string {
	say := r.Message
	if say == "" {
		say = r.Duration.Round(time.Millisecond / 10).String()
	}
	perf := []string{fmt.Sprintf("time=%.6fs", r.Duration.Seconds())}
	for _, s := range summed(listed(r.Steps)) {
		perf = append(perf, fmt.Sprintf("'%s'=%s;%s;%s", label(s.Name), took(s), limit(s.Warning), limit(s.Critical)))
	}
	return fmt.Sprintf("%s - %s: %s|%s", strings.ToUpper(r.Status.String()), line(r.Check), line(say), strings.Join(perf, " "))
}

// took is a step's time. Of one that was not reached it is U, as plugins say of what
// they could not tell: a zero would look like a very fast step.
func took(s results.Step) string {
	if !reached(s) {
		return "U"
	}
	return fmt.Sprintf("%.6fs", s.Duration.Seconds())
}

// listed returns the steps that are part of no other, and of those within them the ones
// beside or below which a step has limits: such as the steps of a test case, and not the
// clicks of a step. Each is named after those that it is part of.
func listed(steps []results.Step) []results.Step {
	deep := map[int]bool{} // by parent: its parts are listed
	for _, s := range steps {
		if s.Warning == 0 && s.Critical == 0 {
			continue
		}
		for in := s.Parent; in > 0; in = steps[in-1].Parent {
			deep[in] = true
		}
	}
	var out []results.Step
	names := make([]string, len(steps))
	for i, s := range steps {
		if s.Parent > 0 {
			s.Name = names[s.Parent-1] + ": " + s.Name
		}
		names[i] = s.Name
		if s.Parent == 0 || deep[s.Parent] {
			out = append(out, s)
		}
	}
	return out
}

// summed returns those of one name as one: a redirect connects twice, and performance
// data knows each label once.
func summed(steps []results.Step) []results.Step {
	var out []results.Step
	at := map[string]int{}
	for _, s := range steps {
		if i, seen := at[label(s.Name)]; seen {
			out[i].Duration += s.Duration
			continue
		}
		at[label(s.Name)] = len(out)
		out = append(out, s)
	}
	return out
}

// line makes one line of s, without the bar that begins performance data.
func line(s string) string { return oneLine(strings.ReplaceAll(s, "|", "/")) }

func label(name string) string { return strings.NewReplacer("'", "", "=", "").Replace(line(name)) }

func limit(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%g", d.Seconds())
}
