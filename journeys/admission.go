package journeys

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	// neededMemory is what a journey may take of a page of the common size, and the
	// browser with it.
	neededMemory = 256 << 20
	// lateLimit is how late what is ready to run may be before one journey more would
	// harm probes, and be told of slow pages that are not slow.
	lateLimit = 100 * time.Millisecond
	askAgain  = 50 * time.Millisecond
)

// An admission lets journeys in as far as processor and memory allow. The first is
// always let in as far as the processor is concerned, since it yields to probes.
type admission struct {
	slots  chan struct{}
	memory func() (room int64, ok bool) // nil: the browser's is not ours

	mu    sync.Mutex
	busy  int // journeys let in
	pulse *pulse
}

func newAdmission(most int, memory func() (int64, bool)) *admission {
	return &admission{slots: make(chan struct{}, most), memory: memory}
}

// memoryOf is how to ask for free memory where the browser of o takes it from.
func memoryOf(o PoolOptions) func() (int64, bool) {
	if o.Remote != "" {
		return nil
	}
	return freeMemory
}

// enter waits until a journey may begin. Its error is unknown, and says what was short.
func (a *admission) enter(ctx context.Context) error {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return waiting(ctx, results.CauseResources,
			"no browser page was free in time: %d journeys at once are allowed; browser: {max: %d} allows one more", cap(a.slots), cap(a.slots)+1)
	}
	for {
		short := a.try()
		if short == nil {
			return nil
		}
		if sleep(ctx, askAgain) != nil {
			<-a.slots
			return waiting(ctx, results.CauseResources, "no room for a journey in time: %w", short)
		}
	}
}

// try lets a journey in, or says what is short.
func (a *admission) try() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.memory != nil {
		if room, ok := a.memory(); ok && room < neededMemory {
			return fmt.Errorf("got %s of memory free, want %s: give this machine or container more, or lower browser.max",
				mebibytes(room), mebibytes(neededMemory))
		}
	}
	if a.busy > 0 {
		if late := a.pulse.late(); late > lateLimit {
			return fmt.Errorf("what is ready to run waits %v for the processor while %d journeys are under way, want less than %v: give it more cores, or lower browser.max",
				late.Round(time.Millisecond), a.busy, lateLimit)
		}
	} else {
		a.pulse = newPulse()
	}
	a.busy++
	return nil
}

// leave gives a place back.
func (a *admission) leave() {
	a.mu.Lock()
	if a.busy--; a.busy == 0 {
		a.pulse.stop()
	}
	a.mu.Unlock()
	<-a.slots
}

// free reports whether another journey could be let in now.
func (a *admission) free() bool {
	if a.memory != nil {
		if room, ok := a.memory(); ok && room < 2*neededMemory {
			return false
		}
	}
	return len(a.slots) < cap(a.slots)
}

// A pulse measures what admission is to keep small: how late something runs that is
// ready to, as a probe is at its time. It sees what takes the processor, be it others,
// our own pages or the quota of a container.
type pulse struct {
	done chan struct{}
	mu   sync.Mutex
	seen time.Duration // the worst of late; half of it is forgotten in a tenth of a second
}

const pulseEvery = 20 * time.Millisecond

func newPulse() *pulse {
	p := &pulse{done: make(chan struct{})}
	go p.beat()
	return p
}

func (p *pulse) stop() { close(p.done) }

func (p *pulse) beat() {
	next := time.NewTimer(pulseEvery)
	defer next.Stop()
	for begin := time.Now(); ; begin = time.Now() {
		select {
		case <-p.done:
			return
		case <-next.C:
		}
		late := time.Since(begin) - pulseEvery
		p.mu.Lock()
		p.seen = max(p.seen*7/8, late)
		p.mu.Unlock()
		next.Reset(pulseEvery)
	}
}

func (p *pulse) late() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}
