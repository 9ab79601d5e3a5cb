package breaker

import "time"

// windowParts is how many parts a window of time has. The part that is running comes on
// top, so that no call is forgotten early and a burst across an edge is never halved.
const windowParts = 32

// lastTime holds the calls of the last windowParts times width, and of the running part.
type lastTime struct {
	width time.Duration
	head  int64 // the number of the running part
	parts [windowParts + 1]tally
	total tally
}

func newLastTime(window time.Duration) *lastTime { return &lastTime{width: window / windowParts} }

func (l *lastTime) add(t tally, now time.Duration) tally {
	l.roll(now)
	l.parts[l.head%int64(len(l.parts))].add(t)
	l.total.add(t)
	return l.total
}

func (l *lastTime) sum(now time.Duration) tally {
	l.roll(now)
	return l.total
}

func (l *lastTime) clear() {
	l.parts, l.total = [windowParts + 1]tally{}, tally{}
}

// roll forgets the parts that are over.
func (l *lastTime) roll(now time.Duration) {
	running := int64(now / l.width)
	if running-l.head >= int64(len(l.parts)) {
		l.clear()
		l.head = running
		return
	}
	for l.head < running {
		l.head++
		part := &l.parts[l.head%int64(len(l.parts))]
		l.total.sub(*part)
		*part = tally{}
	}
}

// lastCalls holds the last cap(ring) calls.
type lastCalls struct {
	ring  []tally
	next  int
	total tally
}

func (l *lastCalls) add(t tally, _ time.Duration) tally {
	l.total.add(t)
	if len(l.ring) < cap(l.ring) {
		l.ring = append(l.ring, t)
		return l.total
	}
	l.total.sub(l.ring[l.next])
	l.ring[l.next] = t
	l.next = (l.next + 1) % len(l.ring)
	return l.total
}

func (l *lastCalls) sum(time.Duration) tally { return l.total }

func (l *lastCalls) clear() { l.ring, l.next, l.total = l.ring[:0], 0, tally{} }
