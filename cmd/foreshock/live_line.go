package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// nameWidth is how wide the names of steps are, so that their times stand in a column.
const nameWidth = 40

// lines are those of one step: what it is, how long it took of what it may take, and
// what was wrong. columns bounds each of them; 0 does not.
func (l *live) lines(r *liveRun, x *liveStep, columns int) []string {
	indent := strings.Repeat("  ", x.depth)
	room := nameWidth - len(indent)
	name := l.clean(x.Name)
	if columns > 0 {
		if l.several {
			columns -= 18
		}
		room = max(8, min(room, columns-len(indent)-28))
		name = clip(name, room)
	}
	mark, colour := markOf(x.Step, x.ended)
	took := x.Duration
	if !x.ended {
		took = time.Since(r.start) - x.Offset
	}
	// The name of the action stands before it, and its error says it again.
	why := strings.TrimPrefix(l.clean(x.Error), l.clean(x.Name)+": ")
	head := fmt.Sprintf("%s%s %-*s", indent, l.paint(colour, mark), room, name)
	if x.Cause == results.CauseStopped && x.Duration == 0 && x.ended {
		return []string{head + "  " + l.paint(dim, l.clean(x.Error))}
	}
	line := fmt.Sprintf("%s  %8s", head, brief(took))
	limits := limitsOf(x.Step)
	if slow := results.TooSlow("", took, x.Warning, x.Critical); slow != nil && !x.ended {
		colour = yellow
	}
	if limits != "" && (columns == 0 || columns >= nameWidth+14+len(limits)) {
		line += "  " + l.paint(dim, limits)
	}
	if x.Error == "" || !x.ended || x.parent && x.Cause != results.CauseSlow {
		return []string{line}
	}
	out := []string{line}
	for _, w := range wrap(fmt.Sprintf("%s: %s", x.Cause, why), columns-len(indent)-4) {
		out = append(out, indent+"    "+l.paint(colour, w))
	}
	return out
}

func markOf(s results.Step, ended bool) (mark, colour string) {
	switch {
	case !ended:
		return "▸", bold
	case s.Cause == results.CauseStopped:
		return "·", dim
	}
	switch s.Status {
	case results.OK:
		return "✓", green
	case results.Warning:
		return "!", yellow
	case results.Critical:
		return "✗", red
	case results.Unknown:
	}
	return "?", yellow
}

func limitsOf(s results.Step) string {
	var limits []string
	if s.Warning > 0 {
		limits = append(limits, "warning "+s.Warning.String())
	}
	if s.Critical > 0 {
		limits = append(limits, "critical "+s.Critical.String())
	}
	return strings.Join(limits, ", ")
}

// wrap breaks a text into lines of at most width characters, at spaces where it can; a
// width of less than 20 leaves it whole.
func wrap(text string, width int) []string {
	if width < 20 {
		return []string{text}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		for {
			room := width - len([]rune(line))
			switch n := len([]rune(word)); {
			case line == "" && n > width:
				lines = append(lines, string([]rune(word)[:width]))
				word = string([]rune(word)[width:])
				continue
			case line == "":
				line = word
			case n < room:
				line += " " + word
			default:
				lines, line = append(lines, line), ""
				continue
			}
			break
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
