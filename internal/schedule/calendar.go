package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-co-op/gocron/v2"
)

// A calendar is a cron line in a time zone. It is a gocron.Cron that keeps one rule
// where the clock is set back in autumn: a line with a fixed hour comes once that
// day, a line for every hour comes every hour.
type calendar struct {
	spec   string
	cron   gocron.Cron
	zone   *time.Location
	hourly bool
}

func newCalendar(line, timezone string) (*calendar, error) {
	zone, err := time.LoadLocation(timezone) // "" is UTC
	if err != nil || timezone == "Local" {
		return nil, fmt.Errorf("timezone: got %q, want a name such as Europe/Berlin", timezone)
	}
	c := &calendar{spec: zone.String() + " " + line, cron: gocron.NewDefaultCron(false), zone: zone}
	if strings.Contains(line, "TZ=") {
		return nil, fmt.Errorf("cron: got %q, want the time zone beside it, not in it", line)
	}
	// An @every would count from the start of the process: its slots had no identity.
	if err := c.cron.IsValid(line, zone, time.Now()); err != nil || strings.HasPrefix(line, "@every") {
		return nil, fmt.Errorf("cron: got %q, want five fields such as \"0 3 * * 1-5\" (minute hour day month weekday)", line)
	}
	if fields := strings.Fields(line); len(fields) > 1 {
		c.hourly = strings.HasPrefix(fields[1], "*")
	} else {
		c.hourly = line == "@hourly"
	}
	return c, nil
}

// IsValid has nothing to say: newCalendar said it.
func (c *calendar) IsValid(string, *time.Location, time.Time) error { return nil }

// Next returns the first time after t in UTC, or zero if there is none within years.
func (c *calendar) Next(t time.Time) time.Time {
	next := c.cron.Next(t.UTC())
	for !next.IsZero() && !c.hourly && c.repeated(next) {
		next = c.cron.Next(next)
	}
	return next
}

// repeated reports whether a clock in the zone showed the same time shortly before.
func (c *calendar) repeated(t time.Time) bool {
	_, offset := t.In(c.zone).Zone()
	_, before := t.Add(-3 * time.Hour).In(c.zone).Zone()
	if before <= offset {
		return false
	}
	back := time.Duration(before-offset) * time.Second
	_, then := t.Add(-back).In(c.zone).Zone()
	return then == before
}
