package breaker

import (
	"math"
	"math/rand/v2"
	"time"
)

// opening tells how long a breaker stays open, each time that it opens.
type opening struct {
	first, longest time.Duration
	factor, jitter float64

	failed    int       // probes that failed since it was closed
	notBefore time.Time // what the dependency asked for, or zero
}

func newOpening(s Settings) opening {
	return opening{first: s.OpenFor, longest: s.OpenMax, factor: s.OpenFactor, jitter: s.OpenJitter}
}

// next returns how long it stays open that opens now.
func (o *opening) next(now time.Time) time.Duration {
	d := o.first
	if o.factor > 1 { // in floats, because it may grow beyond what a Duration holds
		d = time.Duration(min(float64(o.first)*math.Pow(o.factor, float64(o.failed)), float64(o.longest)))
	}
	o.failed++
	asked := min(o.notBefore.Sub(now), o.longest)
	if o.jitter > 0 {
		d += time.Duration((2*rand.Float64() - 1) * o.jitter * float64(d)) //nolint:gosec // spreads load, hides nothing
	}
	return max(d, asked)
}

func (o *opening) reset() { o.failed, o.notBefore = 0, time.Time{} }

// shortest is the least that next returns for s, and what gobreaker itself waits. It
// is just below, because gobreaker lets through only after its time, we at it.
func shortest(s Settings) time.Duration {
	return max(1, time.Duration((1-s.OpenJitter)*float64(s.OpenFor))-1)
}
