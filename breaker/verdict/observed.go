package verdict

import (
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

// Declared is what the breaker's owner says of it. Failures, OpenFor, SlowCall and
// Window of 0 are not declared.
type Declared struct {
	Failures          int           // failed calls, one after another, after which it opens
	Slack             int           // how many more of them may pass, since it is not known what its window held before
	Trips             string        // the same in the owner's words, where it counts otherwise than in a row
	Window            time.Duration // in which it counts; 0: it counts in a row, or by calls
	OpenFor           time.Duration // until it tries again, the first time
	OpenFactor        float64       // by which each further time in a row is longer; 0 is 1
	OpenMax           time.Duration // which it does not grow beyond; 0: it has no bound
	OpenJitter        float64       // part of the open time by which it varies, 0 to 1
	HalfOpenCalls     int           // admitted at most while half open
	HalfOpenSuccesses int           // needed to close
	CallTimeout       time.Duration // the service's own patience with the dependency
	SlowCall          time.Duration // a longer success counts as slow
	SlowCalls         int           // slow calls, one after another, after which it opens
	FailsFastIn       time.Duration // slowest allowed answer while open
	Retries           int           // extra tries of one call while closed
	Background        float64       // attempts a second that no call caused
	RecoversIn        time.Duration // after healing, beyond the open time
	Answer            bool          // what a caller gets while open is declared: no other answer is one
	Adaptive          bool          // it sheds a part of the calls and has no states
	Reported          bool          // it says of itself in which state it is
	Isolated          []string      // checks that must stay well throughout
	WhileOpen         []string      // checks that must stay well while it is open
}

// Opens is for how long the breaker stays open the nth time in a row, from 1: at least
// and at most. Both are 0 if that is not declared.
func (d Declared) Opens(n int) (least, most time.Duration) {
	open := float64(d.OpenFor)
	for range n - 1 {
		open *= max(d.OpenFactor, 1)
	}
	if d.OpenMax > 0 {
		open = min(open, float64(d.OpenMax))
	}
	return time.Duration(open * (1 - d.OpenJitter)), time.Duration(open * (1 + d.OpenJitter))
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

// Observed is what was seen. All times count from the start of the run. The fault held
// at several times, each for what it can tell apart.
type Observed struct {
	Calls    []Call          // in the order in which they began
	Attempts []time.Duration // distinct connection attempts at the dependency, in order
	Checks   []CheckRun
	Reports  []Report      // what the breaker said of itself, in order
	Idle     Span          // no call of ours was under way
	Tried    Span          // the fault held for fewer failures than open the breaker; calls went on until Armed
	Armed    Span          // the fault held for all of a breaker's states; End is when it was healed
	Due      time.Duration // when the breaker had to try again, and calls came together from then on; 0: not declared
	Probe    Span          // calls came together when the breaker had to try again
	Vain     Span          // calls came when it had to try again once more, and none was let through
	Left     Span          // a call was given up while the breaker tried again with it
	// Later is when the run went on to the times below; 0: it did not.
	Later time.Duration
	Again Span // the fault held again after fewer successes than close the breaker; it was half open before
	// Relapse is when the fault held for fewer failures than open the breaker, as soon as
	// it had closed.
	Relapse Span
	Hung    Span   // a fault that lets calls hang held in the place of one that refuses them
	Crowd   Span   // calls came together then, when the breaker had to try again
	Aged    Aged   // the fault held for failures that grew older than the breaker's window
	Spread  []Span // the fault held for failures that were spread over the breaker's window
	Quick   Span   // answers of the dependency were late, and calls not yet slow
	Slowed  Span   // answers of the dependency were slow
	// Repeats says that the fault may meet one connection's packets more than once
	// before any attempt: it lets open connections hang and does not reset them.
	Repeats bool
	// Noisy says that attempts come which no call causes, as is declared: only those
	// while a call is under way are taken for that call's.
	Noisy bool
	// Jolt is the longest time that the program that looked had itself waited for a core.
	Jolt time.Duration
	// Survive says that connections live on under the fault, so that calls need no attempt.
	Survive bool
	// Waits is how long a call at least takes that reaches the dependency under the fault;
	// 0 is not known.
	Waits    time.Duration
	Doubt    string // why the counts cannot be trusted, or empty
	Unsteady string // why the fault cannot be taken to have held throughout, or empty
	Ended    time.Duration
}

// Aged is a time in which the fault held for fewer failures than open the breaker, then
// nobody called for longer than its window, and then calls came anew.
type Aged struct {
	Span

	Failures int           // that were made before
	Anew     time.Duration // when calls came anew; 0: they did not
}

// A Report is what the breaker said of itself at some time.
type Report struct {
	At    time.Duration
	State string // closed, open, half-open, or another word of its own; empty if it could not be read
	Error string // why not
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
	Slow     bool          // a success that took longer than what is declared to be slow
	Apart    bool          // one of several at once, or given up on purpose: told by its own property
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

// calls returns the calls that began in a span and were made one after another.
func (o *Observed) calls(s Span) []Call {
	return slices.DeleteFunc(o.all(s), func(c Call) bool { return c.Apart })
}

// all returns every call that began in a span.
func (o *Observed) all(s Span) []Call {
	var out []Call
	for _, c := range o.Calls {
		if s.Has(c.At) {
			out = append(out, c)
		}
	}
	return out
}

// under is what was seen, with another time in which the fault held.
func (o *Observed) under(s Span) *Observed {
	other := *o
	other.Armed = s
	return &other
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

// busy is how many runs of the named checks went on in a span: they call the service
// too, and it the dependency.
func (o *Observed) busy(names []string, s Span) (n int) {
	for _, r := range o.Checks {
		if slices.Contains(names, r.Name) && r.At < s.End && r.At+r.Took >= s.Start {
			n++
		}
	}
	return n
}

// blind says why attempts cannot be counted, or nothing.
func blind(d Declared, o *Observed) string {
	if o.Doubt != "" {
		return o.Doubt
	}
	if n := o.during(o.Idle); float64(n) > d.chance(o.Idle.Length()) {
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

// nextRound is when the run went on after the recovery, or the end.
func (o *Observed) nextRound() time.Duration {
	if o.Later > 0 {
		return min(o.Later, o.Ended)
	}
	return o.Ended
}

// before is what was seen until some time.
func (o *Observed) before(end time.Duration) *Observed {
	if end >= o.Ended {
		return o
	}
	other := *o
	other.Calls = slices.DeleteFunc(slices.Clone(o.Calls), func(c Call) bool { return c.At >= end })
	other.Attempts = slices.DeleteFunc(slices.Clone(o.Attempts), func(a time.Duration) bool { return a >= end })
	other.Checks = slices.DeleteFunc(slices.Clone(o.Checks), func(r CheckRun) bool { return r.At >= end })
	other.Reports = slices.DeleteFunc(slices.Clone(o.Reports), func(r Report) bool { return r.At >= end })
	other.Ended = end
	return &other
}
