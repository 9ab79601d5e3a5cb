package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/scenarios"
)

// The sizes in pixels of the mark of a failure, and of how many it stands for.
const (
	markSize  = 11.0
	countSize = 30.0
	lineSize  = 13.0
	scaleSize = 52.0 // of the labels of the scale, at the left
)

// failures are drawn so that each mark can be read at every width: those that would lie
// over one another are one mark, with how many it stands for beside it.
func (a *axis) failures(l *lane, s scale, failed []scenarios.Entry) {
	for _, t := range tiers() {
		for _, h := range a.heaped(s, failed, t.width) {
			m := mark{X: percent(h.x), Y: fmt.Sprintf("%.0f", h.y), Shape: failedShape, Title: h.title(), Class: t.class}
			if i := slices.IndexFunc(l.Marks, func(o mark) bool { o.Class = m.Class; return o == m }); i >= 0 && l.Marks[i].Class != "" {
				l.Marks[i].Class += " " + t.class
			} else {
				l.Marks = append(l.Marks, m)
			}
			if h.n == 1 {
				continue
			}
			n := text{X: m.X, Y: int(math.Round(h.y)) + 4, Text: fmt.Sprintf("×%d", h.n), Class: "count " + t.class}
			if atEnd(h.x, t.width) {
				n.Class = "before " + n.Class
			}
			if h.x/100*t.width < scaleSize {
				yield(l.Texts, n.Y, t.class)
			}
			l.Texts = append(l.Texts, n)
		}
	}
}

// atEnd says that there is no room for a count to the right of a place.
func atEnd(x, pixels float64) bool { return x/100*pixels+markSize+countSize > pixels }

// yield hides the labels of the scale that a count at that height would lie over.
func yield(labels []text, y int, class string) {
	for i, s := range labels {
		if s.X == "0%" && math.Abs(float64(s.Y-y)) < lineSize {
			words := slices.DeleteFunc(strings.Fields(s.Class), func(w string) bool { return w == class })
			labels[i].Class = strings.Join(words, " ")
		}
	}
}

// heaped joins the failures, which are in order, whose marks and counts would lie over
// one another on an axis of so many pixels.
func (a *axis) heaped(s scale, failed []scenarios.Entry, pixels float64) []*heap {
	var out []*heap
	for _, c := range failed {
		x, y := a.at(c.AtMS), s.y(c.DurationMS)
		near := func(h *heap) bool {
			reach := markSize
			if h.n > 1 {
				reach += countSize
			}
			if atEnd(x, pixels) { // its count would go to the left
				reach = 2 * (markSize + countSize)
			}
			return math.Abs(h.y-y) < lineSize && (x-h.x)/100*pixels < reach
		}
		if i := slices.IndexFunc(out, near); i >= 0 {
			out[i].add(c)
			continue
		}
		h := newHeap(x, y, c)
		h.add(c)
		out = append(out, h)
	}
	return out
}
