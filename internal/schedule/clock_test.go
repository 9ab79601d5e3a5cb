package schedule

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foreshock/foreshock/results"
)

type counter struct {
	mu     sync.Mutex
	ran    []time.Time
	missed map[string]int
}

func (c *counter) Run(_ context.Context, req results.Request) (results.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ran = append(c.ran, req.Slot)
	return results.Result{}, nil
}

func (c *counter) Missed(_ context.Context, _ results.Request, reason string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missed[reason]++
	return nil
}

// The wall clock is set after half an hour; the checks go on, and say what they missed.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		by     time.Duration
		missed int
		gap    bool
	}{
		{"back 20 seconds", -20 * time.Second, 0, false},
		{"back a year", -365 * 24 * time.Hour, 0, false},
		{"forward a little", time.Second, 0, false},
		{"forward a minute: the machine slept", time.Minute, 6, true},
		{"forward ten years: a board without a battery", 3652 * 24 * time.Hour, farBack + 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &counter{missed: map[string]int{}}
				var gap time.Duration
				s, err := New([]Job{{Name: "a", Every: 10 * time.Second}}, c, Options{Gap: func(from, to time.Time) { gap = to.Sub(from) }})
				if err != nil {
					t.Fatal(err)
				}
				var by atomic.Int64
				s.wall = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
				set := time.AfterFunc(30*time.Minute, func() { by.Store(int64(tc.by)) })
				defer set.Stop()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := s.Run(ctx); err != nil {
					t.Fatal(err)
				}
				if len(c.ran) < 358 {
					t.Errorf("ran %d times in an hour, want 360: it must not fall silent", len(c.ran))
				}
				if got := c.missed[ClockJump]; got < tc.missed-1 || got > tc.missed+1 || len(c.missed) > 1 {
					t.Errorf("missed %v, want %d for the clock", c.missed, tc.missed)
				}
				if tc.gap != (gap != 0) || tc.gap && (gap-tc.by).Abs() > 2*time.Second {
					t.Errorf("gap: got %v, want %v", gap, tc.by)
				}
				seen := map[time.Time]bool{}
				for _, slot := range c.ran {
					if seen[slot] {
						t.Errorf("slot %v ran twice", slot)
					}
					seen[slot] = true
				}
				if ahead := c.ran[len(c.ran)-1].Sub(s.wall()); tc.by > 0 && ahead.Abs() > 11*time.Second {
					t.Errorf("the last slot is %v from the wall clock, want it to follow forward", ahead)
				}
			})
		})
	}
}

func TestSkippedSlotsAreLate(t *testing.T) {
	t.Parallel()
	b, err := newBucket(Job{Name: "a", Every: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	b.next = b.after(now)
	first := b.next
	slot, skipped, ok := b.due(first.Add(3500 * time.Millisecond))
	if !ok || !slot.Equal(first.Add(3*time.Second)) || len(skipped) != 3 {
		t.Errorf("got slot %v, skipped %v, want the fourth, and three skipped", slot, skipped)
	}
	if _, _, ok := b.due(first.Add(3900 * time.Millisecond)); ok {
		t.Error("the same slot came due twice")
	}
	if slot, skipped, ok := b.due(first.Add(4 * time.Second)); !ok || !slot.Equal(first.Add(4*time.Second)) || len(skipped) != 0 {
		t.Errorf("got slot %v, skipped %v, want the fifth on its time", slot, skipped)
	}
}

func TestCalendarWhereTheClockChanges(t *testing.T) {
	t.Parallel()
	const zone = "America/New_York" // back an hour on 2026-11-01 at 06:00 UTC, on 2026-03-08 forward at 07:00 UTC
	for _, tc := range []struct{ line, from, want string }{
		{"30 1 * * *", "11-01 00:00", "11-01 05:30, 11-02 06:30"},
		{"0 * * * *", "11-01 04:30", "11-01 05:00, 11-01 06:00, 11-01 07:00"},
		{"*/30 * * * *", "11-01 05:15", "11-01 05:30, 11-01 06:00, 11-01 06:30"},
		{"0 3 * * *", "11-01 00:00", "11-01 08:00, 11-02 08:00"},
		{"0 3 * * *", "03-07 10:00", "03-08 07:00, 03-09 07:00"},
		{"@hourly", "11-01 04:30", "11-01 05:00, 11-01 06:00"},
		{"@daily", "11-01 00:00", "11-01 04:00, 11-02 05:00"},
	} {
		c, err := newCalendar(tc.line, zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02 15:04", "2026-"+tc.from)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for len(got) < len(tc.want) {
			at = c.Next(at)
			if got != "" {
				got += ", "
			}
			got += at.Format("01-02 15:04")
		}
		if got != tc.want {
			t.Errorf("%s after %s: got %s, want %s", tc.line, tc.from, got, tc.want)
		}
	}
}
