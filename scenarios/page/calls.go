package page

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/foreshock/foreshock/scenarios"
)

const (
	callsTop, callsBottom = 12.0, 162.0 // pixels between which calls are drawn
	mostMarks             = 2000        // beyond which calls that lie close together share a mark
)

// calls are drawn by outcome, on a logarithmic scale: a rejection takes less than a
// millisecond, a timeout seconds, and both matter.
func (a *axis) calls(timeline []scenarios.Entry) lane {
	l := a.lane("calls", "Calls", "by outcome and latency", 174)
	var calls []scenarios.Entry
	for _, e := range timeline {
		if e.Type == "call" {
			calls = append(calls, e)
		}
	}
	l.Label = plural(len(calls), "call", "calls") + " by outcome and latency; the table below has their figures"
	s := newScale(calls)
	for _, ms := range s.round() {
		y := int(s.y(ms))
		l.Rules = append(l.Rules, rule{Y: y})
		l.Texts = append(l.Texts, text{X: "0%", Y: y - 3, Text: round(ms), Class: "w m n plain"})
	}
	failed := slices.DeleteFunc(slices.Clone(calls), func(c scenarios.Entry) bool { return shape(c.Outcome) != failedShape })
	calls = slices.DeleteFunc(calls, func(c scenarios.Entry) bool { return shape(c.Outcome) == failedShape })
	for width := 0.05; ; width *= 2 {
		l.Marks = a.marks(s, calls, width)
		if len(l.Marks) <= mostMarks {
			break
		}
	}
	a.failures(&l, s, failed)
	return l
}

// A heap is what is drawn as one mark, where its first call is.
type heap struct {
	x, y     float64
	outcome  string
	n        int
	from     float64 // milliseconds since the start, of the first
	min, max float64 // milliseconds they took
	err      string
}

func newHeap(x, y float64, c scenarios.Entry) *heap {
	return &heap{x: x, y: y, outcome: c.Outcome, from: c.AtMS, min: c.DurationMS}
}

func (h *heap) add(c scenarios.Entry) {
	h.n++
	h.min, h.max = min(h.min, c.DurationMS), max(h.max, c.DurationMS)
	h.err = cmp.Or(c.Error, h.err)
}

// marks joins the calls of one outcome that fall into one cell.
func (a *axis) marks(s scale, calls []scenarios.Entry, width float64) []mark {
	type key struct {
		x, y    float64
		outcome string
	}
	heaps := map[key]*heap{}
	for _, c := range calls {
		x, y := a.at(c.AtMS), s.y(c.DurationMS)
		k := key{cell(x, width), cell(y, max(1, min(width*10, 4))), c.Outcome}
		if heaps[k] == nil {
			heaps[k] = newHeap(x, y, c)
		}
		heaps[k].add(c)
	}
	sorted := slices.SortedFunc(maps.Values(heaps), func(a, b *heap) int {
		return cmp.Or(cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y))
	})
	var out []mark
	for _, h := range sorted {
		out = append(out, mark{X: percent(h.x), Y: fmt.Sprintf("%.0f", h.y), Shape: shape(h.outcome), Title: h.title()})
	}
	return out
}

func shape(outcome string) string {
	switch outcome {
	case "success", "rejected":
		return "call-" + outcome
	}
	return failedShape
}

const failedShape = "call-failed"

func (h *heap) title() string {
	t := fmt.Sprintf("%s at %s, in %s", h.outcome, clock(h.from), span(h.max))
	if h.n > 1 {
		t = fmt.Sprintf("%d calls %s about %s, in %s to %s", h.n, h.outcome, clock(h.from), span(h.min), span(h.max))
	}
	if h.err != "" {
		t += ": " + h.err
	}
	return t
}

// cell is the middle of the cell in which v lies.
func cell(v, width float64) float64 { return math.Round(v/width) * width }

// A scale is logarithmic.
type scale struct{ least, most float64 }

func newScale(calls []scenarios.Entry) scale {
	s := scale{least: 1, most: 10}
	for i, c := range calls {
		took := max(c.DurationMS, 0.05) // below, the clock tells more than the call
		if i == 0 {
			s = scale{took, took}
		}
		s.least, s.most = min(s.least, took), max(s.most, took)
	}
	s.most = max(s.most*1.15, s.least*10)
	return s
}

func (s scale) y(ms float64) float64 {
	share := math.Log(max(ms, s.least)/s.least) / math.Log(s.most/s.least)
	return callsBottom - share*(callsBottom-callsTop)
}

// round are the powers of ten on the scale.
func (s scale) round() []float64 {
	var out []float64
	for ms := 0.1; ms <= s.most; ms *= 10 {
		if ms = math.Round(ms*10) / 10; ms >= s.least {
			out = append(out, ms)
		}
	}
	return out
}
