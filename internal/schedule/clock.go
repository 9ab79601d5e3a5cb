package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"
)

const (
	// jump is from how much on a difference between the clocks is one that was set.
	jump = 2 * time.Second
	// settle is how long gocron may take to start before the first slot that counts.
	settle = 50 * time.Millisecond
	// atOnce is how soon the first slot must come, at most, for a first run to be left
	// out: a browser's first run takes seconds, and would overrun the slot.
	atOnce = 5 * time.Second
)

// soon is atOnce, and less for jobs that run more often.
func soon(every time.Duration) time.Duration { return min(atOnce, every/2) }

// A steady clock is the wall clock as it was when it began, carried on by the
// monotonic one: setting the wall clock back does not silence what runs by it.
type steady struct {
	clockwork.Clock
	from  time.Time // without monotonic reading
	start time.Time // with
}

func newSteady(from time.Time) *steady {
	return &steady{Clock: clockwork.NewRealClock(), from: from.Round(0), start: time.Now()}
}

// Now returns the time in UTC. It only goes forward.
func (c *steady) Now() time.Time { return c.from.Add(time.Since(c.start)).UTC() }

// keepTime fires the buckets until ctx is done. It starts anew when the clock was
// set, since gocron would stand still then, or count up to the new time one by one.
func (s *Scheduler) keepTime(ctx context.Context) error {
	clock := newSteady(s.wall())
	s.begin(clock.Now())
	for ctx.Err() == nil {
		now, err := s.epoch(ctx, clock)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if from := clock.Now(); now.Sub(from) > jump {
			s.opts.Log.WarnContext(ctx, "clock went forward; the slots between are missed", "from", from, "to", now)
			s.news.push(func(context.Context) { s.opts.Gap(from, now) })
			clock = newSteady(now)
			s.skip(now)
		} else {
			s.opts.Log.WarnContext(ctx, "clock was set; checks go on in their intervals", "from", from, "to", now)
		}
	}
	return nil
}

// begin finds the first slot of each bucket, and runs the one before where that is wanted.
func (s *Scheduler) begin(now time.Time) {
	for _, b := range s.buckets {
		b.next = b.after(now.Add(settle))
		if b.cal != nil || b.next.Sub(now) <= soon(b.every) {
			continue
		}
		for _, m := range b.members {
			if m.first {
				m.hand(b.slotBefore(now), func() time.Duration { return -1 })
			}
		}
	}
}

// skip reports the slots that lie before now.
func (s *Scheduler) skip(now time.Time) {
	for _, b := range s.buckets {
		last, skipped, ok := b.due(now)
		if !ok {
			continue
		}
		for _, slot := range append(skipped, last) {
			s.miss(b, slot, ClockJump)
		}
	}
}

func (s *Scheduler) miss(b *bucket, slot time.Time, reason string) {
	for _, m := range b.members {
		s.missed(s.request(m, slot), reason)
	}
}

// epoch runs two gocron schedulers until ctx is done or the wall clock was set, and
// returns what that says now: one of them, for intervals, by the steady clock, the
// other, for calendars, by the wall clock.
func (s *Scheduler) epoch(ctx context.Context, clock *steady) (now time.Time, err error) {
	intervals, err := gocron.NewScheduler(by(clock)...)
	if err != nil {
		return now, fmt.Errorf("schedule: %w", err)
	}
	calendars, err := gocron.NewScheduler(by(clock.Clock)...)
	if err != nil {
		return now, errors.Join(err, intervals.Shutdown())
	}
	defer func() { err = errors.Join(err, intervals.Shutdown(), calendars.Shutdown()) }()
	for _, b := range s.buckets {
		if b.cal != nil {
			err = s.schedule(calendars, b, clock.Clock, gocron.CronJob("* * * * *", false), gocron.WithCronImplementation(b.cal))
		} else {
			err = s.schedule(intervals, b, clock, gocron.DurationJob(b.every), gocron.WithStartAt(gocron.WithStartDateTimePast(b.next)))
		}
		if err != nil {
			return now, err
		}
	}
	intervals.Start()
	calendars.Start()
	return s.watch(ctx, clock), nil
}

func by(clock clockwork.Clock) []gocron.SchedulerOption {
	return []gocron.SchedulerOption{gocron.WithClock(clock), gocron.WithLocation(time.UTC)}
}

// schedule lets gocron fire the bucket, which only hands over: its Shutdown spins
// for as long as a task of its own is not over.
func (s *Scheduler) schedule(c gocron.Scheduler, b *bucket, clock clockwork.Clock, when gocron.JobDefinition, how gocron.JobOption) error {
	_, err := c.NewJob(when, gocron.NewTask(func() { s.fire(b, clock) }), how)
	if err != nil {
		return fmt.Errorf("schedule %s: %w", b.members[0].name, err)
	}
	return nil
}

// fire hands the slot that has come over to the pools.
func (s *Scheduler) fire(b *bucket, clock clockwork.Clock) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := clock.Now()
	if b.cal != nil {
		now = now.Add(jump) // a wall clock that is slewed makes the timer of a day early
	}
	slot, skipped, ok := b.due(now)
	if !ok {
		return
	}
	for _, gone := range skipped {
		s.miss(b, gone, Late)
	}
	since := func() time.Duration { return max(0, clock.Now().Sub(slot)) }
	for _, m := range b.members {
		if reason := m.hand(slot, since); reason != "" {
			s.missed(s.request(m, slot), reason)
		}
	}
}

// watch compares the clocks each second and returns when the wall clock was set.
func (s *Scheduler) watch(ctx context.Context, clock *steady) time.Time {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	ahead := s.wall().Round(0).Sub(clock.Now())
	for {
		select {
		case <-ctx.Done():
			return time.Time{}
		case <-tick.C:
		}
		if now := s.wall().Round(0); (now.Sub(clock.Now()) - ahead).Abs() > jump {
			return now.UTC()
		}
	}
}
