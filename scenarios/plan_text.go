package scenarios

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/foreshock/foreshock/faults"
)

// WritePlan says what a run would do; it changes nothing. What it breaks and for how
// long at most comes first.
func (s *Spec) WritePlan(w io.Writer) {
	done, left := s.stages()
	fmt.Fprintln(w, strings.TrimSuffix(fmt.Sprintf("scenario %s: %s", s.Name, s.Summary), ": "))
	for _, f := range s.faults {
		how := fmt.Sprintf("healed at the end, within seconds if Foreshock dies, after %v in any case", s.Limit)
		verb := "breaks"
		switch {
		case faults.Irreversible(f):
			how = "IRREVERSIBLE: nothing heals it but whoever supervises the processes"
		case !faults.Breaks(f):
			verb, how = "counts", "breaks nothing"
		}
		fmt.Fprintf(w, "  %-8s  %s %s; %s\n", verb, f.Kind(), f.Target(), how)
	}
	fmt.Fprintf(w, "  calls     %s, at most %.4g a second and %d at a time\n", &s.Target, float64(s.Load.MaxRate), s.Load.MaxConcurrency)
	fmt.Fprintf(w, "  takes     %v at most, of a limit of %v\n", sum(done, true), s.Limit)
	fmt.Fprintf(w, "  expects   %s\n", s.expects())
	for i, st := range done {
		fmt.Fprintf(w, "  %2d %-10s %s\n", i+1, st.phase, st.text)
	}
	for _, st := range left {
		fmt.Fprintf(w, "   - left out, the limit of %v is too short for it: %s\n", s.Limit, st.text)
	}
	if len(s.Teardown) > 0 {
		fmt.Fprintf(w, "   - teardown, after the limit too: %s\n", s.stepText(s.Teardown))
	}
}

// expects is what the breaker's owner declares, in words.
func (s *Spec) expects() string {
	d, b := s.declares(0), s.Breaker
	if d.Failures == 0 && d.OpenFor == 0 {
		return "nothing is declared of the breaker: it is measured, and the verdict is inconclusive"
	}
	parts := []string{"opens after " + undeclaredWord}
	switch {
	case d.Trips != "":
		parts[0] = "opens at " + d.Trips
	case d.Failures > 0:
		parts[0] = "opens after " + count(d.Failures, "failed call") + " in a row"
	}
	parts = append(parts, "stays open for "+cmp.Or(declaredOpen(d), undeclaredWord), "lets through "+count(b.HalfOpenCalls, "call")+" half open", fmt.Sprintf("answers within %v while open", b.FailsFastIn))
	return strings.Join(parts, "; ")
}
