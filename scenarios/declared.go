package scenarios

import (
	"fmt"
	"math"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/kind"
)

// declared is what the breaker's owner says of it, in the words of the file.
type declared struct {
	Scope             string        `yaml:"scope"`
	Failures          int           `yaml:"failures"`
	FailureRate       percent       `yaml:"failure_rate"`
	MinCalls          int           `yaml:"min_calls"`
	Window            window        `yaml:"window"`
	SlowCall          time.Duration `yaml:"slow_call"`
	SlowRate          percent       `yaml:"slow_rate"`
	OpenFor           openTime      `yaml:"open_for"`
	HalfOpenCalls     int           `yaml:"half_open_calls"`
	HalfOpenSuccesses int           `yaml:"half_open_successes"`
	CallTimeout       time.Duration `yaml:"call_timeout"`
	FailsFastIn       time.Duration `yaml:"fails_fast_in"`
	Retries           int           `yaml:"retries"`
	Background        rate          `yaml:"background"`
	Adaptive          bool          `yaml:"adaptive"`
	Rejected          expected      `yaml:"rejected"`
	Fallback          expected      `yaml:"fallback"`
	Reader            kind.Node     `yaml:"reader"`
}

// The scopes: who shares one breaker.
const (
	scopeInstance = "instance" // the callers in one process of the service
	scopeShared   = "shared"   // all replicas of the service
	scopeHost     = "host"     // the callers of one address of the dependency
)

// declares turns the file's words into what the verdict judges by. held is how many
// successes the breaker's window holds when the outage begins.
func (s *Spec) declares(held int) verdict.Declared {
	b := s.Breaker
	d := verdict.Declared{
		Failures: b.Failures, Window: b.Window.time, OpenFor: b.OpenFor.First, OpenFactor: b.OpenFor.Factor,
		OpenMax: b.OpenFor.Max, OpenJitter: float64(b.OpenFor.Jitter),
		HalfOpenCalls: b.HalfOpenCalls, HalfOpenSuccesses: b.HalfOpenSuccesses,
		CallTimeout: b.CallTimeout, SlowCall: b.SlowCall, FailsFastIn: b.FailsFastIn, Retries: b.Retries,
		Background: float64(b.Background), RecoversIn: s.RecoverIn, Adaptive: b.Adaptive,
		Reported: b.Reader.Shape == kind.Mapping,
		Answer:   !b.Rejected.IsZero() || !b.Fallback.IsZero(),
		Isolated: s.Isolated, WhileOpen: s.mustStayWell(),
	}
	if b.FailureRate > 0 {
		d.Failures, d.Slack = b.fills(float64(b.FailureRate), held)
		d.Trips = fmt.Sprintf("%.4g%% of at least %d calls in %s", 100*b.FailureRate, b.MinCalls, b.Window)
	}
	if b.SlowCall > 0 {
		d.SlowCalls = d.Failures
		if b.counts() || b.MinCalls > 0 {
			d.SlowCalls, _ = b.fills(float64(b.SlowRate), held)
		}
		if s.lives() && d.SlowCalls > 0 { // slow is what they are in the outage
			d.Failures, d.Slack, d.Trips = d.SlowCalls, max(d.Slack, 1), fmt.Sprintf("%.4g%% of them slower than %v", 100*b.SlowRate, b.SlowCall)
		}
	}
	return d
}

// fills is how many bad calls in a row make up the rate, after held good ones, and how
// many more there may be: the edges of a window's buckets lie where they like, and
// some compare by more than and some by at least.
func (b *declared) fills(rate float64, held int) (calls, slack int) {
	for calls = 1; ; calls++ {
		good := held
		if w := b.Window.calls; w > 0 {
			good = min(held, max(w-calls, 0))
		}
		if calls+good >= b.MinCalls && float64(calls) >= rate*float64(calls+good)-1e-9 {
			break
		}
	}
	slack = 1
	if b.Window.time > 0 {
		// Good calls leave a window of time while bad ones come in.
		without := int(math.Max(float64(b.MinCalls), 1))
		slack = max(slack, without-calls)
	}
	return calls, slack
}

// counts says that the breaker counts in a window, and not in a row.
func (b *declared) counts() bool { return b.FailureRate > 0 }

// trips is how many calls it takes at most until the breaker opens; 0 is not declared.
func (b *declared) trips() int {
	rate := float64(b.FailureRate)
	switch {
	case !b.counts() && b.MinCalls > 0:
		rate = float64(b.SlowRate)
	case !b.counts():
		return b.Failures
	}
	n, slack := b.fills(rate, b.Window.calls)
	return n + slack
}

// opens is for how long the breaker stays open at most, the nth time in a row.
func (s *Spec) opens(n int) time.Duration {
	_, most := s.declares(0).Opens(n)
	return most
}
