package journeys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type clock struct {
	Fixed  string `yaml:"fixed"`  // RFC 3339; it stands still
	Offset string `yaml:"offset"` // ahead of now, or behind it with a minus; it runs on

	at     time.Time
	offset time.Duration
}

func clockKind() kind.Kind[Action] {
	return kind.Of("clock", "sets the time that the page's scripts read: one that stands still, or an offset from now",
		"fixed: 2026-12-24T18:00:00Z\n", clock{},
		func(s clock) (Action, error) {
			if (s.Fixed == "") == (s.Offset == "") {
				return nil, errors.New("got no time or two, want fixed: TIME or offset: DURATION")
			}
			var err error
			if s.Fixed != "" {
				if s.at, err = time.Parse(time.RFC3339, s.Fixed); err != nil {
					return nil, kind.At("fixed", fmt.Errorf("got %q, want a time such as 2026-12-24T18:00:00Z or 2026-12-24T18:00:00+01:00", s.Fixed))
				}
				return s, nil
			}
			if s.offset, err = time.ParseDuration(s.Offset); err != nil {
				return nil, kind.At("offset", fmt.Errorf("got %q, want a duration such as 48h or -30m", s.Offset))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *clock) UnmarshalNode(n kind.Node) error {
	type whole clock
	return decodeShort(n, &a.Fixed, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *clock) NodeSchema(g *kind.Schemas) *kind.Schema {
	fixed := kind.PatternSchema(`^\d{4}-\d\d-\d\dT\d{1,2}:\d\d:\d\d([.,]\d+)?(Z|[-+]\d\d:\d\d)$`, "2026-12-24T18:00:00Z")
	offset := kind.PatternSchema(`^[-+]?([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$`, "48h", "-30m")
	one := g.Fields(*a, map[string]*kind.Schema{"fixed": fixed, "offset": offset})
	one.MinFields, one.MaxFields = 1, 1
	return kind.Either(fixed, one)
}

// String implements [Action].
func (a clock) String() string {
	if a.Fixed != "" {
		return "clock " + a.Fixed
	}
	return "clock " + a.Offset + " off"
}

// Do implements [Action]. Timers run as ever.
func (a clock) Do(ctx context.Context, p *Page, _ *results.Span) error {
	now := fmt.Sprintf("() => %d", a.at.UnixMilli())
	if a.Fixed == "" {
		now = fmt.Sprintf("() => real.now() + %d", a.offset.Milliseconds())
	}
	js := `(() => {
  // Of several, the last one counts.
  const key = Symbol.for("foreshock.date"), real = window[key] || Date;
  const now = ` + now + `;
  Object.defineProperty(window, key, { value: real, configurable: true });
  window.Date = new Proxy(real, {
    construct: (date, args, as) => Reflect.construct(date, args.length ? args : [now()], as),
    apply: () => new real(now()).toString(),
    get: (date, name) => (name === "now" ? now : Reflect.get(date, name)),
  });
  real.prototype.constructor = window.Date;
})()`
	return p.set(ctx, "clock", func(ctx context.Context, t *chromedp.Target) error {
		return beforePages(ctx, t, js)
	})
}
