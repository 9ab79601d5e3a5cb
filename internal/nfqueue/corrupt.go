package nfqueue

import (
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// A Corrupt flips one bit of some packets and leaves the checksum as it was, as a bad
// cable does: the receiver's kernel notices, counts a checksum error (InCsumErrors in
// /proc/net/snmp) and drops the packet, so that TCP sends it again. The bit is in the
// payload; of a TCP or UDP packet without one, in the checksum. Only what has no
// checksum, such as a UDP sender that left it out, reaches the application broken.
// A packet of more than 65,531 bytes, as loopback has, cannot be changed and is
// dropped instead, which is what becomes of it anyway.
type Corrupt struct {
	Percent float64 // more than 0, at most 100
}

// Name implements [Stage].
func (*Corrupt) Name() string { return "corrupt" }

// Need implements [Stage].
func (*Corrupt) Need() Need { return Whole }

// Check implements [Stage].
func (c *Corrupt) Check() error { return checkPercent(c.Percent) }

// Decide implements [Stage].
func (c *Corrupt) Decide(p *Packet, _ time.Time) Decision {
	l, ok := parse(p.Data)
	if !ok || !chance(c.Percent) {
		return Decision{}
	}
	if p.Cut() {
		return Decision{Drop: true}
	}
	at := l.checksum()
	if n := min(l.end, len(p.Data)) - l.payload; n > 0 {
		at = l.payload + rand.IntN(n) //nolint:gosec // chance, not a secret
	}
	if at < len(p.Data) {
		p.Change(at, p.Data[at]^1<<rand.IntN(8)) //nolint:gosec // as above
	}
	return Decision{}
}

// checksum is where the transport's is; of an unknown transport, the first byte.
func (l layout) checksum() int {
	switch l.protocol {
	case unix.IPPROTO_TCP:
		return l.transport + 16
	case unix.IPPROTO_UDP:
		return l.transport + 6
	}
	return l.transport
}
