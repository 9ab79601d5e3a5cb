package scenarios

import (
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// join makes one report of those of the target's instances: a property is as its worst
// instance has it, and the times of all count from the begin of the first.
func join(s *Spec, all []*Report) *Report {
	r := *all[0]
	r.Properties, r.Measured = slices.Clone(r.Properties), []Measure{}
	var invalid, stopped string
	for i, one := range all {
		address := s.Target.Instances[i]
		later := ms(one.Started.Sub(r.Started))
		end := later + one.DurationMS
		r.Instances = append(r.Instances, InstanceLine{address, one.Verdict, one.Reason, later, end})
		r.DurationMS = end
		for _, m := range one.Measured {
			m.Instance = address
			r.Measured = append(r.Measured, m)
		}
		if i > 0 {
			r.append(one.shifted(later))
		}
		for n := range r.Properties {
			p := one.Properties[n]
			if i == 0 || worse(p.Verdict, r.Properties[n].Verdict) {
				p.Detail = address + ": " + p.Detail
				p.FromMS, p.ToMS = p.FromMS+later, p.ToMS+later
				r.Properties[n] = p
			}
		}
		if i > 0 && one.Untidy != "" {
			r.Untidy = strings.TrimPrefix(r.Untidy+"; "+one.Untidy, "; ")
		}
		switch one.Verdict {
		case verdict.Invalid:
			invalid = address + ": " + one.Reason
		case verdict.Aborted:
			stopped = address + ": " + one.Reason
		case verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.Skipped:
		}
	}
	r.Verdict, r.Reason = roll(s, r.Properties, invalid, stopped, r.Instances)
	r.ExitCode = r.Verdict.ExitCode()
	if last := all[len(all)-1]; last.ExitCode == exitLeft {
		r.ExitCode, r.Reason = exitLeft, last.Reason
	}
	return &r
}

func roll(s *Spec, lines []PropertyLine, invalid, stopped string, instances []InstanceLine) (verdict.Verdict, string) {
	var ps []verdict.Property
	for _, l := range lines {
		ps = append(ps, verdict.Property{ID: l.ID, Verdict: l.Verdict, Detail: l.Detail})
	}
	v, reason := verdict.Roll(ps, invalid, stopped, s.Require)
	if v != verdict.Pass {
		return v, reason
	}
	for _, i := range instances { // one that came to nothing as a whole, such as an unhealthy baseline
		if i.Verdict == verdict.Inconclusive {
			return i.Verdict, i.Address + ": " + i.Reason
		}
	}
	return v, reason
}

// echo is how long connection attempts from before may still be repeated: their SYNs
// come again after as long a time as they have been tried for, and a second at least.
func (r *Report) echo() time.Duration {
	var longest time.Duration
	healed := r.DurationMS
	for _, f := range r.Faults {
		for _, s := range f.Spans {
			longest, healed = max(longest, duration(s.ToMS-s.FromMS)), s.ToMS
		}
	}
	return longest + time.Second - duration(r.DurationMS-healed)
}

// worse says that a says more against the breaker than b, or less for it.
func worse(a, b verdict.Verdict) bool {
	order := []verdict.Verdict{verdict.Skipped, verdict.Pass, verdict.Inconclusive, verdict.Aborted, verdict.Invalid, verdict.Fail}
	return slices.Index(order, a) > slices.Index(order, b)
}

// append adds what happened with another instance.
func (r *Report) append(o *Report) {
	r.Faults = append(slices.Clone(r.Faults), o.Faults...)
	r.Phases = append(slices.Clone(r.Phases), o.Phases...)
	r.Timeline = append(slices.Clone(r.Timeline), o.Timeline...)
	r.Checks = append(slices.Clone(r.Checks), o.Checks...)
}

// shifted is the report with its times counted from an earlier begin.
func (r *Report) shifted(by float64) *Report {
	o := *r
	o.Started = r.Started.Add(-time.Duration(by * float64(time.Millisecond)))
	o.Faults, o.Phases = slices.Clone(r.Faults), slices.Clone(r.Phases)
	o.Timeline, o.Checks = slices.Clone(r.Timeline), slices.Clone(r.Checks)
	for i := range o.Faults {
		f := &o.Faults[i]
		f.ArmedMS, f.HealedMS = f.ArmedMS+by, f.HealedMS+by
		if f.FirstHitMS > 0 {
			f.FirstHitMS += by
		}
		f.Spans = slices.Clone(f.Spans)
		for n := range f.Spans {
			f.Spans[n].FromMS, f.Spans[n].ToMS = f.Spans[n].FromMS+by, f.Spans[n].ToMS+by
		}
	}
	for i := range o.Phases {
		o.Phases[i].FromMS, o.Phases[i].ToMS = o.Phases[i].FromMS+by, o.Phases[i].ToMS+by
	}
	for i := range o.Timeline {
		o.Timeline[i].AtMS += by
	}
	for i := range o.Checks {
		o.Checks[i].AtMS += by
	}
	return &o
}
