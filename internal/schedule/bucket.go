package schedule

import (
	"fmt"
	"hash/fnv"
	"sync"
	"time"
)

// grid is how far apart the slots of different checks are: those between two lines
// of it fire together, so that there are few timers.
const grid = 100 * time.Millisecond

// farBack is how many slots of one job are reported when many were missed at once.
const farBack = 100

// A bucket fires at the slots that its members share.
type bucket struct {
	every   time.Duration // 0 for a calendar
	phase   time.Duration
	cal     *calendar
	members []*member

	mu   sync.Mutex
	next time.Time // the first slot that was not fired yet
}

func newBucket(j Job) (*bucket, error) {
	switch {
	case j.Every != 0 && j.Cron != "" || j.Every == 0 && j.Cron == "":
		return nil, fmt.Errorf("got every %v and cron %q, want one of them", j.Every, j.Cron)
	case j.Cron != "":
		cal, err := newCalendar(j.Cron, j.Timezone)
		return &bucket{cal: cal}, err
	case j.Every < grid:
		return nil, fmt.Errorf("every: got %v, want at least %v", j.Every, grid)
	}
	return &bucket{every: j.Every, phase: Phase(j.Name, j.Every)}, nil
}

// same reports whether both fire at the same slots.
func (b *bucket) same(o *bucket) bool {
	if b.cal != nil || o.cal != nil {
		return b.cal != nil && o.cal != nil && b.cal.spec == o.cal.spec
	}
	return b.every == o.every && b.phase == o.phase
}

// Phase is how long after a multiple of every, counted from 1970 in UTC, the slots of
// the check are. It is the same everywhere and spreads checks over the interval.
func Phase(check string, every time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(check))                                  // it cannot fail
	return time.Duration(h.Sum64() % uint64(every)).Truncate(grid) //nolint:gosec // less than every
}

// slotBefore returns the last slot that is not after t.
func (b *bucket) slotBefore(t time.Time) time.Time {
	since := (t.UnixNano() - int64(b.phase)) % int64(b.every)
	if since < 0 {
		since += int64(b.every)
	}
	return time.Unix(0, t.UnixNano()-since).UTC()
}

// after returns the first slot after t.
func (b *bucket) after(t time.Time) time.Time {
	if b.cal != nil {
		return b.cal.Next(t)
	}
	return b.slotBefore(t).Add(b.every)
}

// due returns the slot that has come and those before it that did not get their
// turn, and moves on. ok is false if none has come.
func (b *bucket) due(now time.Time) (slot time.Time, skipped []time.Time, ok bool) {
	if b.next.After(now) {
		return time.Time{}, nil, false
	}
	if b.cal == nil {
		slot = b.slotBefore(now)
		for s := slot.Add(-b.every); !s.Before(b.next) && len(skipped) < farBack; s = s.Add(-b.every) {
			skipped = append(skipped, s)
		}
		b.next = slot.Add(b.every)
		return slot, skipped, true
	}
	slot = b.next
	for n := b.after(slot); !n.IsZero() && !n.After(now) && len(skipped) < farBack; n = b.after(n) {
		skipped = append(skipped, slot)
		slot = n
	}
	b.next = b.after(now)
	return slot, skipped, true
}
