package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// rate is a number of calls a second, written as 50/s.
type rate float64

// UnmarshalNode implements [kind.Unmarshaler].
func (r *rate) UnmarshalNode(n kind.Node) error {
	f, ok := number(n.Text, "/s", 1e6)
	if !ok {
		return fmt.Errorf("got %q, want a rate such as 50/s", n.Text)
	}
	*r = rate(f)
	return nil
}

// NodeSchema implements [kind.Describer].
func (r *rate) NodeSchema(*kind.Schemas) *kind.Schema {
	return kind.PatternSchema(`^[0-9.]+/s$`, "50/s")
}

// percent is a part of a whole from 0 to 1, written as 50%.
type percent float64

// UnmarshalNode implements [kind.Unmarshaler].
func (p *percent) UnmarshalNode(n kind.Node) error {
	f, ok := number(n.Text, "%", 100)
	if !ok {
		return fmt.Errorf("got %q, want a percentage such as 50%%", n.Text)
	}
	*p = percent(f / 100)
	return nil
}

// NodeSchema implements [kind.Describer].
func (p *percent) NodeSchema(*kind.Schemas) *kind.Schema {
	return kind.PatternSchema(`^[0-9.]+%$`, "50%")
}

// number reads a number from 0 to most with its unit.
func number(text, unit string, most float64) (float64, bool) {
	digits, found := strings.CutSuffix(text, unit)
	f, err := strconv.ParseFloat(digits, 64)
	return f, found && err == nil && f >= 0 && f <= most
}

// window is what a breaker counts in: a time, written as 10s, or a number of calls,
// written as "100 calls". One of the two is set.
type window struct {
	time  time.Duration
	calls int
}

// UnmarshalNode implements [kind.Unmarshaler].
func (w *window) UnmarshalNode(n kind.Node) error {
	if digits, found := strings.CutSuffix(n.Text, " calls"); found {
		calls, err := strconv.Atoi(digits)
		if err == nil && calls >= 1 && calls <= 1000 {
			w.calls = calls
			return nil
		}
	}
	d, err := time.ParseDuration(n.Text)
	if err != nil || d < time.Second || d > 10*time.Minute {
		return fmt.Errorf("got %q, want a time from 1s to 10m, such as 10s, or a number of calls to 1000, such as \"100 calls\"", n.Text)
	}
	w.time = d
	return nil
}

// NodeSchema implements [kind.Describer].
func (w *window) NodeSchema(*kind.Schemas) *kind.Schema {
	return kind.PatternSchema(`^([0-9.]+(ms|s|m))+$|^[0-9]+ calls$`, "10s", "100 calls")
}

// String is how it is written.
func (w window) String() string {
	if w.calls > 0 {
		return fmt.Sprintf("%d calls", w.calls)
	}
	return w.time.String()
}

// openTime is for how long a breaker stays open: one time for all, or one that grows
// with each failed probe.
type openTime struct {
	First  time.Duration `yaml:"first"`
	Factor float64       `yaml:"factor"`
	Max    time.Duration `yaml:"max"`
	Jitter percent       `yaml:"jitter"`
}

// UnmarshalNode implements [kind.Unmarshaler].
func (o *openTime) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.Mapping {
		type plain openTime
		p := plain{Factor: 1}
		if err := n.Decode(&p); err != nil {
			return err
		}
		*o = openTime(p)
		switch {
		case o.First <= 0:
			return kind.At("first", errors.New("got none, want the first open time, such as 2s"))
		case o.Factor < 1 || o.Factor > 10:
			return kind.At("factor", fmt.Errorf("got %v, want 1 to 10", o.Factor))
		case o.Max != 0 && o.Max < o.First:
			return kind.At("max", fmt.Errorf("got %v, want at least first, which is %v", o.Max, o.First))
		case o.Jitter > 0.9:
			return kind.At("jitter", fmt.Errorf("got %.0f%%, want at most 90%%", 100*o.Jitter))
		}
		return nil
	}
	d, err := time.ParseDuration(n.Text)
	if err != nil {
		return fmt.Errorf("got %q, want a duration such as 2s, or {first: 2s, factor: 2, max: 1m, jitter: 10%%}", n.Text)
	}
	*o = openTime{First: d, Factor: 1}
	return nil
}

// NodeSchema implements [kind.Describer].
func (o *openTime) NodeSchema(g *kind.Schemas) *kind.Schema {
	grows := g.Fields(*o, nil)
	grows.Required = []string{"first"}
	return kind.Either(kind.DurationSchema(), grows)
}
