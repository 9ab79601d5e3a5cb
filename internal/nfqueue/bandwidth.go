package nfqueue

import "time"

// A Bandwidth lets only so many bytes a second pass. What comes faster waits in line,
// and what finds the line full is dropped: that is how a sender learns of a narrow
// link, and it is counted as dropped by this stage.
type Bandwidth struct {
	Rate  int // bytes a second, IP headers included; at least 1
	Burst int // bytes that pass at once after a silence; 0 means a hundredth of a second's, at least 2048
	Queue int // bytes that may wait in line; 0 means a quarter of a second's, at least 65536

	free time.Time // when the last byte that waits has passed
}

const (
	burstShare, minBurst = 100, 2048
	queueShare, minQueue = 4, 65536
)

// Name implements [Stage].
func (*Bandwidth) Name() string { return "bandwidth" }

// Need implements [Stage].
func (*Bandwidth) Need() Need { return Segments }

// Check implements [Stage].
func (b *Bandwidth) Check() error {
	switch {
	case b.Rate < 1:
		return wrong("rate", "got %d bytes a second, want at least 1", b.Rate)
	case b.Burst < 0:
		return wrong("burst", "got %d bytes, want 0 or more", b.Burst)
	case b.Queue < 0:
		return wrong("queue", "got %d bytes, want 0 or more", b.Queue)
	}
	return nil
}

// Decide implements [Stage]. A full bucket is a link that is free since Burst's time.
func (b *Bandwidth) Decide(p *Packet, now time.Time) Decision {
	burst, queue := b.Burst, b.Queue
	if burst == 0 {
		burst = max(b.Rate/burstShare, minBurst)
	}
	if queue == 0 {
		queue = max(b.Rate/queueShare, minQueue)
	}
	free := b.free
	if full := now.Add(-b.takes(burst)); free.Before(full) {
		free = full
	}
	idle := !free.After(now)
	free = free.Add(b.takes(p.Length))
	// A packet larger than the line still passes an idle link, or nothing would.
	if !idle && free.Sub(now) > b.takes(queue) {
		return Decision{Drop: true}
	}
	b.free = free
	return Decision{Until: free}
}

// takes is how long so many bytes need.
func (b *Bandwidth) takes(bytes int) time.Duration {
	return time.Duration(float64(bytes) / float64(b.Rate) * float64(time.Second))
}
