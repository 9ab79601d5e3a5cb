package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

// redraw is how often the time of what is under way is brought up to date.
const redraw = 100 * time.Millisecond

// A live shows the steps of checks while they run: on a terminal what is under way is
// drawn in place, with its time, and anywhere else each step gets a line as it ends.
type live struct {
	out      io.Writer
	terminal bool // draw in place
	colours  bool
	several  bool // lines say whose they are
	mask     func(string) string

	mu    sync.Mutex
	runs  []*liveRun
	drawn int // lines on the terminal that the next drawing replaces
}

// A liveRun is one run of one check.
type liveRun struct {
	check string
	start time.Time
	steps map[int]*liveStep
	top   []int // of the step without a parent that is under way: it, and those in it
}

type liveStep struct {
	results.Step
	depth  int
	parent bool // it has steps
	ended  bool
}

// newLive shows on standard error, which leaves standard output to the report.
func (p *program) newLive() *live {
	return &live{
		out: p.stderr, terminal: obeys(p.stderr, p.env), colours: takesColours(p.stderr, p.env),
		mask: func(s string) string { return s },
	}
}

// run draws until ctx ends.
func (l *live) run(ctx context.Context) {
	if !l.terminal {
		return
	}
	t := time.NewTicker(redraw)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			l.mu.Lock()
			l.draw()
			l.mu.Unlock()
		}
	}
}

// watch follows a run; [runner.Runner.Watch] calls it.
func (l *live) watch(check string, rec *results.Recorder) {
	r := &liveRun{check: check, start: rec.Start(), steps: map[int]*liveStep{}}
	l.mu.Lock()
	l.runs = append(l.runs, r)
	l.mu.Unlock()
	rec.Watch(func(n int, s results.Step, ended bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.step(r, n, s, ended)
	})
}

// step takes what a recorder tells.
func (l *live) step(r *liveRun, n int, s results.Step, ended bool) {
	x, known := r.steps[n]
	if !known {
		x = &liveStep{}
		r.steps[n] = x
		if up := r.steps[s.Parent]; up != nil {
			l.opens(r, up)
			x.depth = up.depth + 1
		}
		r.top = append(r.top, n)
	}
	x.Step, x.ended = s, ended
	switch {
	case l.terminal && ended && s.Parent == 0:
		l.commit(r)
	case l.terminal:
		l.draw()
	case ended:
		l.print(r, x)
	}
}

// opens says that a step has others in it; where nothing is drawn in place it is named
// before them.
func (l *live) opens(r *liveRun, up *liveStep) {
	if !l.terminal && !up.parent {
		fmt.Fprintln(l.out, l.prefix(r)+strings.Repeat("  ", up.depth)+"▸ "+l.clean(up.Name))
	}
	up.parent = true
}

// print writes a step that has ended.
func (l *live) print(r *liveRun, x *liveStep) {
	for _, line := range l.lines(r, x, 0) {
		fmt.Fprintln(l.out, l.prefix(r)+line)
	}
}

// commit leaves the lines of a step that has ended on the terminal.
func (l *live) commit(r *liveRun) {
	columns, _ := l.room()
	lines := l.under(r, columns)
	r.top = nil
	l.replace(lines, nil)
	l.draw()
}

// room is how large the terminal is; one that is gone is as large as most.
func (l *live) room() (columns, rows int) {
	if columns, rows, ok := size(l.out); ok {
		return columns, rows
	}
	return 80, 24
}

// under are the lines of what is under way in a run.
func (l *live) under(r *liveRun, columns int) []string {
	var lines []string
	for _, n := range r.top {
		for _, line := range l.lines(r, r.steps[n], columns) {
			lines = append(lines, l.prefix(r)+line)
		}
	}
	return lines
}

// draw draws what is under way, as far as the terminal has room: the last lines.
func (l *live) draw() {
	columns, rows := l.room()
	var lines []string
	for _, r := range l.runs {
		lines = append(lines, l.under(r, columns)...)
	}
	l.replace(nil, lines[max(0, len(lines)-rows+1):])
}

// replace puts lines that stay, and lines that the next call replaces, in the place of
// what was drawn. It writes once, or the terminal would flicker.
func (l *live) replace(stay, lines []string) {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", l.drawn)
	}
	for _, line := range slices.Concat(stay, lines) {
		b.WriteString(line + "\n")
	}
	l.drawn = len(lines)
	_, _ = io.WriteString(l.out, b.String()) // a terminal that is gone is no reason to stop
}

// Write lets others write to the same place, such as a logger.
func (l *live) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replace(nil, nil)
	n, err := l.out.Write(b)
	if l.terminal {
		l.draw()
	}
	return n, err
}

func (l *live) prefix(r *liveRun) string {
	if !l.several {
		return ""
	}
	return l.paint(dim, fmt.Sprintf("%-16s  ", clip(l.clean(r.check), 16)))
}

func (l *live) clean(s string) string { return printable(l.mask(s)) }

func (l *live) paint(colour, text string) string {
	if !l.colours || colour == "" {
		return text
	}
	return colour + text + plain
}
