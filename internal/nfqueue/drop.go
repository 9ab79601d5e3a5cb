package nfqueue

import "time"

// A Drop loses some packets. Unlike a DROP rule in OUTPUT, it does not tell a local
// sender of datagrams EPERM: no lossy network does.
type Drop struct {
	Percent float64 // more than 0, at most 100
}

// Name implements [Stage].
func (*Drop) Name() string { return "drop" }

// Need implements [Stage].
func (*Drop) Need() Need { return Segments }

// Check implements [Stage].
func (d *Drop) Check() error { return checkPercent(d.Percent) }

// Decide implements [Stage].
func (d *Drop) Decide(*Packet, time.Time) Decision { return Decision{Drop: chance(d.Percent)} }
