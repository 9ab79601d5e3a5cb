package nfqueue

import (
	"slices"
	"time"
)

// A Duplicate lets some packets arrive twice. The second is a copy that is sent
// through a raw socket when the first one goes on; it skips the chain's later stages.
// A packet of more than 65,531 bytes, as loopback has, cannot be copied and goes on
// alone.
type Duplicate struct {
	Percent float64 // more than 0, at most 100
}

// Name implements [Stage].
func (*Duplicate) Name() string { return "duplicate" }

// Need implements [Stage].
func (*Duplicate) Need() Need { return Whole }

// Check implements [Stage].
func (d *Duplicate) Check() error { return checkPercent(d.Percent) }

// Decide implements [Stage].
func (d *Duplicate) Decide(p *Packet, _ time.Time) Decision {
	if !p.Cut() && chance(d.Percent) {
		p.Send(slices.Clone(p.Data))
	}
	return Decision{}
}
