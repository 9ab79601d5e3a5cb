package nfqueue

import "time"

// A Reorder holds some packets while the ones behind them overtake.
type Reorder struct {
	Percent float64       // of packets that are overtaken; more than 0, at most 100
	By      time.Duration // how long they wait; more than 0, at most a minute
}

// Name implements [Stage].
func (*Reorder) Name() string { return "reorder" }

// Need implements [Stage].
func (*Reorder) Need() Need { return Segments }

// Check implements [Stage].
func (r *Reorder) Check() error {
	if r.By <= 0 || r.By > maxLatency {
		return wrong("by", "got %v, want more than 0 and at most %v", r.By, maxLatency)
	}
	return checkPercent(r.Percent)
}

// Decide implements [Stage].
func (r *Reorder) Decide(_ *Packet, now time.Time) Decision {
	if chance(r.Percent) {
		return Decision{Until: now.Add(r.By)}
	}
	return Decision{}
}
