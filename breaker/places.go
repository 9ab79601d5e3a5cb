package breaker

import "sync/atomic"

// places are taken and given back. They are never more than the limit, not even for a
// moment, so that nobody is turned away because of another who is.
type places struct{ n atomic.Int64 }

// take reports whether there was one left; a limit of 0 is none.
func (p *places) take(limit int) bool {
	if limit == 0 {
		p.n.Add(1)
		return true
	}
	for {
		n := p.n.Load()
		if n >= int64(limit) {
			return false
		}
		if p.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *places) give() { p.n.Add(-1) }

func (p *places) taken() int { return int(p.n.Load()) }
