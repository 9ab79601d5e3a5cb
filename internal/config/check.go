package config

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/go-co-op/gocron/v2"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// defaultTimeout is how long a check may take that says nothing of it.
const defaultTimeout = 10 * time.Second

// A timed check knows how long it may take.
type timed interface{ DefaultTimeout() time.Duration }

// common is what every entry of checks may say beside its kind.
type common struct {
	Name     string            `yaml:"name"`     // which no other check has
	Every    time.Duration     `yaml:"every"`    // time between two runs, at least 100ms; or cron
	Cron     string            `yaml:"cron"`     // minute hour day month weekday, such as 0 3 * * 1-5
	Timezone string            `yaml:"timezone"` // of cron, such as Europe/Berlin (UTC)
	Timeout  time.Duration     `yaml:"timeout"`  // after it the run is critical (10s, at most every)
	Warning  time.Duration     `yaml:"warning"`  // a success that takes longer is a warning
	Critical time.Duration     `yaml:"critical"` // a success that takes longer is critical
	Labels   map[string]string `yaml:"labels"`   // go on every metric of the check
}

// Check reads one entry of checks. A scheduled one must say when it runs.
func Check(n kind.Node, table kind.Table[results.Check], scheduled bool) (run.Entry, error) {
	var c common
	field, err := kind.Split(n, &c, "kind of check", table.Names())
	if err != nil {
		return run.Entry{}, err
	}
	name, check, err := table.BuildField("kind of check", field)
	if err != nil {
		return run.Entry{}, err
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
		if t, ok := check.(timed); ok {
			c.Timeout = t.DefaultTimeout()
		}
		if c.Every > 0 {
			c.Timeout = min(c.Timeout, c.Every)
		}
	}
	for _, validate := range []func(kind.Node) error{c.validName, c.validLimits, c.validLabels} {
		if err := validate(n); err != nil {
			return run.Entry{}, err
		}
	}
	if scheduled {
		if err := c.validSchedule(n); err != nil {
			return run.Entry{}, err
		}
	}
	return run.Entry{
		Name: c.Name, Kind: name, Every: c.Every, Cron: c.Cron, Timezone: c.Timezone,
		Timeout: c.Timeout, Warning: c.Warning, Critical: c.Critical, Labels: c.Labels, Check: check,
	}, nil
}

func (c *common) validName(n kind.Node) error {
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN ._/-]{0,127}$`).MatchString(c.Name) {
		return n.Get("name").Errorf("name: got %q, want 1 to 128 letters, digits, spaces and ._/-", c.Name)
	}
	return nil
}

// validLimits holds the order warning < critical < timeout <= every.
func (c *common) validLimits(n kind.Node) error {
	switch {
	case c.Warning > 0 && c.Critical > 0 && c.Warning >= c.Critical:
		return n.Get("warning").Errorf("warning: got %v, want less than critical, which is %v", c.Warning, c.Critical)
	case c.Warning > 0 && c.Warning >= c.Timeout:
		return n.Get("warning").Errorf("warning: got %v, want less than timeout, which is %v", c.Warning, c.Timeout)
	case c.Critical > 0 && c.Critical >= c.Timeout:
		return n.Get("critical").Errorf("critical: got %v, want less than timeout, which is %v", c.Critical, c.Timeout)
	case c.Every > 0 && c.Timeout > c.Every:
		return n.Get("timeout").Errorf("timeout: got %v, want at most every, which is %v", c.Timeout, c.Every)
	}
	return nil
}

func (c *common) validSchedule(n kind.Node) error {
	const least = 100 * time.Millisecond
	switch {
	case c.Every == 0 && c.Cron == "":
		return n.Errorf("check %q: got neither every nor cron, want one of them", c.Name)
	case c.Every > 0 && c.Cron != "":
		return n.Get("cron").Errorf("cron: got %q beside every, want one of them", c.Cron)
	case c.Every > 0 && c.Every < least:
		return n.Get("every").Errorf("every: got %v, want at least %v", c.Every, least)
	case c.Timezone != "" && c.Cron == "":
		return n.Get("timezone").Errorf("timezone: got %q without cron, want it beside cron only", c.Timezone)
	case c.Cron == "":
		return nil
	}
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return n.Get("timezone").Errorf("timezone: got %q, want a name such as Europe/Berlin", c.Timezone)
	}
	if err := gocron.NewDefaultCron(false).IsValid(c.Cron, zone, time.Now()); err != nil {
		return n.Get("cron").Errorf("cron: got %q, want five fields such as \"0 3 * * 1-5\" (minute hour day month weekday)", c.Cron)
	}
	return nil
}

// validLabels refuses names that the metrics could not carry, or use themselves.
func (c *common) validLabels(n kind.Node) error {
	reserved := map[string]bool{"check": true, "kind": true, "location": true, "status": true, "step": true, "cause": true, "le": true}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		at := n.Get("labels").Get(name)
		if !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`).MatchString(name) {
			return at.Errorf("labels: got %q, want a name of letters, digits and _ that does not start with a digit", name)
		}
		if reserved[name] {
			return at.Errorf("labels: got %q, which every metric has already, want another name", name)
		}
	}
	return nil
}
