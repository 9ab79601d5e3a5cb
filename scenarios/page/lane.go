package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/foreshock/foreshock/scenarios"
)

// A lane is one drawing on the common axis. Everything in it lies at per cent of its
// width and at pixels of its height, so that it fits every width with readable text.
type lane struct {
	Key, Name, Note string
	Label           string // for those who do not see it
	Height          int
	Shades          []band // when a fault acted
	Grid            []rule
	Bands           []band
	Rules           []rule // horizontal
	Ticks           []rule
	Marks           []mark
	Texts           []text
}

// A band lasts from X for W.
type band struct {
	X, W, Class, Title string
	Y, H               int
}

// A rule is a straight line: upright at X, else flat at Y.
type rule struct {
	X, Class, Title string
	Y, To           int
}

// A mark is a small shape. One with a class is shown at the widths that this names.
type mark struct{ X, Y, Shape, Title, Class string }

// A text stands at X; it is shown where its class says that there is room.
type text struct {
	X, Text, Class string
	Y              int
}

// percent is a place or width on the axis.
func percent(p float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", p), "0"), ".") + "%"
}

// tiers are the widths in pixels for which labels are chosen: of a desk, of paper, of
// a telephone. The style sheet shows at each width the texts of its class.
func tiers() []struct {
	class string
	width float64
} {
	return []struct {
		class string
		width float64
	}{{"w", 1000}, {"m", 540}, {"n", 330}}
}

// room is the width in pixels that a text needs, with some air.
func room(s string) float64 { return 6.3*float64(len([]rune(s))) + 10 }

// labels are the texts for a band: at each width the first candidate that fits.
func labels(x, w float64, y int, candidates ...string) []text {
	var out []text
	for _, t := range tiers() {
		for _, s := range candidates {
			if room(s) > w/100*t.width {
				continue
			}
			if n := len(out); n > 0 && out[n-1].Text == s {
				out[n-1].Class += " " + t.class
			} else {
				out = append(out, text{X: percent(x), Y: y, Text: s, Class: t.class})
			}
			break
		}
	}
	return out
}

// centred are the texts in the middle of a band, at the widths at which it has room.
func centred(x, w float64, y int, s string) []text {
	var classes []string
	for _, t := range tiers() {
		if 6.3*float64(len([]rune(s)))+6 <= w/100*t.width {
			classes = append(classes, t.class)
		}
	}
	if len(classes) == 0 {
		return nil
	}
	return []text{{X: percent(x + w/2), Y: y, Text: s, Class: "mid " + strings.Join(classes, " ")}}
}

// An axis places times of a run.
type axis struct {
	end    float64 // milliseconds
	shades []band
	grid   []rule
	ticks  []text
}

func newAxis(r *scenarios.Report) *axis {
	a := &axis{end: max(r.DurationMS, 1)}
	for _, e := range r.Timeline {
		a.end = max(a.end, e.AtMS)
	}
	for _, f := range r.Faults {
		for _, s := range spansOf(f) {
			a.shades = append(a.shades, a.band(s.FromMS, s.ToMS, "shade", ""))
		}
	}
	step := a.step(1000, 62)
	every := int(math.Ceil(a.step(330, 48) / step)) // of which one is drawn where there is little room
	for n := 0; float64(n)*step <= a.end; n++ {
		t := float64(n) * step
		class := "w m"
		if n%every == 0 {
			class = "w m n"
		}
		a.grid = append(a.grid, rule{X: a.x(t), Class: class})
		if a.at(t) < 96.5 {
			a.ticks = append(a.ticks, text{X: a.x(t), Y: 14, Text: round(t), Class: class})
		}
	}
	return a
}

// step is the least round time that takes so many pixels of a width.
func (a *axis) step(width, pixels float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if n*unit/a.end*width >= pixels {
				return n * unit
			}
		}
	}
}

// at is the place of a time in per cent.
func (a *axis) at(ms float64) float64 { return min(max(ms, 0)/a.end, 1) * 100 }

func (a *axis) x(ms float64) string { return percent(a.at(ms)) }

func (a *axis) band(from, to float64, class, title string) band {
	return band{X: a.x(from), W: percent(max(a.at(to)-a.at(from), 0)), Class: class, Title: title}
}

// lane begins a lane with what all lanes show.
func (a *axis) lane(key, name, note string, height int) lane {
	return lane{Key: key, Name: name, Note: note, Height: height, Shades: a.shades, Grid: a.grid}
}

// times is the axis itself.
func (a *axis) times() lane {
	l := a.lane("time", "", "", 20)
	l.Label, l.Texts = "seconds since the run began", a.ticks
	return l
}
