package verdict

import (
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

// Declared is what the breaker's owner says of it. Failures and OpenFor of 0 are not
// declared.
type Declared struct {
	Failures          int           // in a row, after which it opens
	OpenFor           time.Duration // until it tries again
	HalfOpenCalls     int           // admitted at most while half open
	HalfOpenSuccesses int           // needed to close
	CallTimeout       time.Duration // the service's own patience with the dependency
	FailsFastIn       time.Duration // slowest allowed answer while open
	Retries           int           // extra tries of one call while closed
	Background        float64       // attempts a second that no call caused
	RecoversIn        time.Duration // after healing, beyond OpenFor
	Answer            bool          // what a caller gets while open is declared: no other answer is one
	Isolated          []string      // checks that must stay well throughout
	WhileOpen         []string      // checks that must stay well while it is open
}

// Outcome is how a call ended.
type Outcome uint8

// The outcomes. Success came from the dependency, Rejected is the declared answer of
// an open breaker, Failed is anything else.
const (
	Success Outcome = iota
	Rejected
	Failed
)

// String returns the word that reports use.
func (o Outcome) String() string { return [...]string{"success", "rejected", "failed"}[o] }

// Observed is what was seen. All times count from the start of the run.
type Observed struct {
	Calls    []Call          // in the order in which they began; one at a time
	Attempts []time.Duration // distinct connection attempts at the dependency, in order
	Checks   []CheckRun
	Idle     Span // no call of ours was under way
	Armed    Span // the fault held; End is when it was healed
	// Repeats says that the fault may meet one connection's packets more than once
	// before any attempt: it lets open connections hang and does not reset them.
	Repeats  bool
	Doubt    string // why the counts cannot be trusted, or empty
	Unsteady string // why the fault cannot be taken to have held throughout, or empty
	Ended    time.Duration
}

// A Span is a time from Start to End; the zero Span is none.
type Span struct{ Start, End time.Duration }

// Has reports whether t is in the span.
func (s Span) Has(t time.Duration) bool { return t >= s.Start && t < s.End }

// Length is how long it is.
func (s Span) Length() time.Duration { return s.End - s.Start }

// A Call is one call of ours to the service that holds the breaker.
type Call struct {
	At, Took time.Duration
	Outcome  Outcome
	Error    string        // of a failed one
	Starved  time.Duration // how much of Took the machine was short of CPU: work waited for a core
	Met      bool          // the fault met packets of it on an open connection, before any attempt
	GaveUp   bool          // we stopped waiting: the service may have gone on with it
}

// A CheckRun is one run of a check while the scenario went on.
type CheckRun struct {
	Name     string
	At, Took time.Duration
	Status   results.Status
	Message  string
	Starved  time.Duration // as of a Call
}

// fault is the span in which the fault held, so far.
func (o *Observed) fault() Span {
	if o.Armed.End > 0 {
		return o.Armed
	}
	return Span{o.Armed.Start, o.Ended}
}

// during returns the attempts in a span.
func (o *Observed) during(s Span) int {
	n := 0
	for _, a := range o.Attempts {
		if s.Has(a) {
			n++
		}
	}
	return n
}

// calls returns the calls that began in a span.
func (o *Observed) calls(s Span) []Call {
	var out []Call
	for _, c := range o.Calls {
		if s.Has(c.At) {
			out = append(out, c)
		}
	}
	return out
}

// runs returns the runs of a check that lie in a span from begin to end.
func (o *Observed) runs(name string, s Span) []CheckRun {
	var out []CheckRun
	for _, r := range o.Checks {
		if r.Name == name && s.Has(r.At) && r.At+r.Took <= s.End {
			out = append(out, r)
		}
	}
	return out
}

// background is how many attempts a second no call of ours caused.
func (o *Observed) background() float64 {
	if o.Idle.Length() <= 0 {
		return 0
	}
	return float64(o.during(o.Idle)) / o.Idle.Length().Seconds()
}

// blind says why attempts cannot be counted, or nothing.
func blind(d Declared, o *Observed) string {
	if o.Doubt != "" {
		return o.Doubt
	}
	if b := o.background(); b > d.Background {
		return "connection attempts that no call caused reach the dependency; declare `background` or use a quiet replica"
	}
	return ""
}

// Slowest returns the longest call, or the zero Call of none.
func Slowest(calls []Call) Call {
	if len(calls) == 0 {
		return Call{}
	}
	return slices.MaxFunc(calls, func(a, b Call) int { return int(a.Took - b.Took) })
}
