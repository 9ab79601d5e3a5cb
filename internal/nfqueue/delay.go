package nfqueue

import (
	"hash/maphash"
	"math/rand/v2"
	"time"
)

// A Delay holds every packet for a while. Packets of one connection keep their order:
// with jitter, one that is due before its elder waits for it. So the mean delay of a
// dense connection lies above Latency, by up to Jitter; Delay and [Reorder] in one
// chain mix it.
type Delay struct {
	Latency      time.Duration // 0 to a minute
	Jitter       time.Duration // at most Latency
	Distribution Distribution

	seed  maphash.Seed
	last  map[uint64]time.Time // when the flow's latest packet is due
	sweep time.Time            // when to forget idle flows
}

// Distribution is how jitter spreads.
type Distribution int

// The distributions.
const (
	Uniform Distribution = iota // evenly, from Latency - Jitter to Latency + Jitter
	Normal                      // with Jitter as the standard deviation, cut at three of them and at 0
)

const (
	maxLatency = time.Minute
	cutNormal  = 3
)

// Name implements [Stage].
func (*Delay) Name() string { return "delay" }

// Need implements [Stage].
func (*Delay) Need() Need { return Headers }

// Check implements [Stage].
func (d *Delay) Check() error {
	switch {
	case d.Latency < 0 || d.Latency > maxLatency:
		return wrong("latency", "got %v, want 0 to %v", d.Latency, maxLatency)
	case d.Jitter < 0 || d.Jitter > d.Latency:
		return wrong("jitter", "got %v, want 0 to the latency, which is %v", d.Jitter, d.Latency)
	case d.Distribution != Uniform && d.Distribution != Normal:
		return wrong("distribution", "got %d, want Uniform or Normal", d.Distribution)
	}
	return nil
}

// Decide implements [Stage].
func (d *Delay) Decide(p *Packet, now time.Time) Decision {
	due := now.Add(d.Latency)
	if d.Jitter == 0 {
		return Decision{Until: due}
	}
	due = due.Add(d.spread())
	if d.last == nil {
		d.last, d.seed, d.sweep = map[uint64]time.Time{}, maphash.MakeSeed(), now
	}
	if now.After(d.sweep) {
		d.forget(now)
		d.sweep = now.Add(maxLatency)
	}
	flow := p.flow(d.seed)
	if last := d.last[flow]; due.Before(last) {
		due = last
	}
	d.last[flow] = due
	return Decision{Until: due}
}

func (d *Delay) spread() time.Duration {
	jitter := float64(d.Jitter)
	if d.Distribution == Uniform {
		return time.Duration((rand.Float64()*2 - 1) * jitter) //nolint:gosec // chance, not a secret
	}
	x := max(-cutNormal, min(cutNormal, rand.NormFloat64())) //nolint:gosec // as above
	return max(time.Duration(x*jitter), -d.Latency)
}

// forget drops the flows whose packets have all gone on.
func (d *Delay) forget(now time.Time) {
	for flow, due := range d.last {
		if due.Before(now) {
			delete(d.last, flow)
		}
	}
}
