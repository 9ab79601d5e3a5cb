package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// A Measure is a parameter of the breaker: what its owner declares, and what was seen
// of it from outside. It is for people, and judges nothing: the properties do.
type Measure struct {
	Name     string `json:"name"`
	Declared string `json:"declared"`
	Measured string `json:"measured"`
	Instance string `json:"instance,omitempty"` // of the target, where several are judged
}

const (
	undeclaredWord = "not declared"
	unseenWord     = "not seen"
)

// measured is what was seen of the breaker's parameters. A run that tells nothing has none.
func measured(d verdict.Declared, o *verdict.Observed, states []transition, r *Report) []Measure {
	out := []Measure{}
	if o.Armed.Start == 0 || o.Unsteady != "" || slices.ContainsFunc(r.Properties, func(p PropertyLine) bool { return p.Verdict == verdict.Invalid }) {
		return out
	}
	add := func(name, declared, measured string) {
		out = append(out, Measure{Name: name, Declared: cmp.Or(declared, undeclaredWord), Measured: cmp.Or(measured, unseenWord)})
	}
	if !d.Adaptive {
		trips, limit, fast := r.property("trips-at-threshold"), r.property("half-open-limit"), r.property("fails-fast")
		threshold := ""
		if d.Failures > 0 {
			threshold = strings.TrimPrefix(trips.Expected, "opens after ")
		}
		add("opens after", threshold, opensAfter(d, o, trips))
		add("stays open for", declaredOpen(d), measuredOpen(d, o, states))
		add("lets through half open", strings.TrimSuffix(limit.Expected, " of the calls that come together"), letThrough(limit))
		answers := ""
		if d.OpenFor > 0 {
			answers = strings.TrimSuffix(strings.TrimPrefix(fast.Expected, "answers "), " while open")
		}
		add("answers while open", answers, fast.Observed)
	}
	within := strings.TrimPrefix(r.property("closes-on-success").Expected, "calls succeed again ")
	if within == "" && d.RecoversIn > 0 {
		within = fmt.Sprintf("within %v of healing", d.RecoversIn)
	}
	add("recovers", within, r.Recovery.String())
	return out
}

// property is the line of that id, or an empty one.
func (r *Report) property(id string) PropertyLine {
	if i := slices.IndexFunc(r.Properties, func(p PropertyLine) bool { return p.ID == id }); i >= 0 {
		return r.Properties[i]
	}
	return PropertyLine{}
}

// letThrough is how many calls were let through half open, or that none had to be.
func letThrough(p PropertyLine) string {
	if p.Verdict == verdict.Skipped {
		return strings.TrimSuffix(p.Detail, ".")
	}
	return p.Observed
}

func opensAfter(d verdict.Declared, o *verdict.Observed, p PropertyLine) string {
	t, ok := verdict.FindTrip(d, o)
	switch {
	case p.Observed == "" || !ok:
		return p.Observed
	case t.Attempts != t.Calls:
		return fmt.Sprintf("%s with %d attempts", count(t.Calls, "failed call"), t.Attempts)
	}
	return count(t.Calls, "failed call")
}

func declaredOpen(d verdict.Declared) string {
	if d.OpenFor == 0 {
		return ""
	}
	text := d.OpenFor.String()
	if d.OpenFactor > 1 {
		text += fmt.Sprintf(", %.4g times as long after each failed probe", d.OpenFactor)
	}
	if d.OpenMax > 0 {
		text += fmt.Sprintf(", at most %v", d.OpenMax)
	}
	if d.OpenJitter > 0 {
		text += fmt.Sprintf(", give or take %.4g%%", 100*d.OpenJitter)
	}
	return text
}

// measuredOpen is between which times the breaker stayed open: nothing reached the
// dependency until the first, something at the second. Openings that should last as long
// as each other tell together; where they do not, it is the shortest and the longest.
func measuredOpen(d verdict.Declared, o *verdict.Observed, states []transition) string {
	seen := *o
	seen.Attempts = probes(d, o, o.Armed.Start)
	var each []verdict.Span // of lengths, and not of times
	for _, s := range states {
		if s.to != "open" || s.at > o.Armed.End {
			continue
		}
		least, most, ok := verdict.OpenTime(&seen, verdict.Trip{At: s.at})
		if ok && (len(each) == 0 || s.at+most <= o.Armed.End) { // healed, a probe may leave no trace
			each = append(each, verdict.Span{Start: least, End: most})
		}
	}
	if len(each) == 0 {
		return ""
	}
	all, ends := each[0], verdict.Span{Start: each[0].End, End: each[0].End}
	var texts []string
	for _, s := range each {
		all = verdict.Span{Start: max(all.Start, s.Start), End: min(all.End, s.End)}
		ends = verdict.Span{Start: min(ends.Start, s.End), End: max(ends.End, s.End)}
		texts = append(texts, between(s))
	}
	switch {
	case d.OpenFactor > 1:
		return strings.Join(texts, ", then ")
	case d.OpenJitter > 0 || all.Length() < 0:
		return short(ends.Start) + " to " + short(ends.End)
	}
	return between(all)
}

func between(s verdict.Span) string {
	switch {
	case s.Start < 10*time.Millisecond:
		return "at most " + short(s.End)
	case s.Length() <= s.End/20: // that is as well as it can be seen
		return "about " + short((s.Start+s.End)/2)
	}
	return short(s.Start) + " to " + short(s.End)
}

// short is a time with as many digits as people read.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}
