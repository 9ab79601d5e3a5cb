package journeys

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type waitUntil struct {
	Script string `yaml:"script"` // a JavaScript expression
	Frame  *frame `yaml:"frame"`  // nil is the page itself
}

func waitUntilKind() kind.Kind[Action] {
	return kind.Of("wait_until", "waits until a JavaScript expression, or the promise that it gives, is true",
		"document.readyState === \"complete\"\n", waitUntil{},
		func(s waitUntil) (Action, error) {
			s.Script = strings.TrimRight(s.Script, "; \t\r\n")
			if s.Script == "" {
				return nil, kind.At("script", errors.New("got none, want a JavaScript expression"))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *waitUntil) UnmarshalNode(n kind.Node) error {
	type whole waitUntil
	return decodeShort(n, &a.Script, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *waitUntil) NodeSchema(g *kind.Schemas) *kind.Schema {
	script := kind.TextSchema()
	script.MinLength = 1
	s := g.Fields(*a, map[string]*kind.Schema{"script": script})
	s.Required = []string{"script"}
	return kind.Either(script, s)
}

// String implements [Action]; the expression may hold a secret and is left out.
func (a waitUntil) String() string {
	if a.Frame != nil {
		return "wait until an expression holds in " + a.Frame.String()
	}
	return "wait until an expression holds"
}

// Do implements [Action]. An expression that throws may still come to hold.
func (a waitUntil) Do(ctx context.Context, p *Page, _ *results.Span) error {
	const pause = 50 * time.Millisecond
	seen := answer{State: "false"}
	for {
		a, err := framelessAs(a.look(ctx, p))
		var judged *results.Error
		switch {
		case err == nil && a.State == ready:
			return nil
		case err == nil:
			seen = a
		case errors.As(err, &judged) && judged.Status == results.Unknown:
			return err
		case errors.As(err, &judged):
			seen = answer{State: "thrown", Detail: p.mask(judged.Err.Error())}
		case ctx.Err() == nil && !navigating(err):
			return err
		}
		if sleep(ctx, pause) != nil {
			return &notReady{query{}, seen}
		}
	}
}

func (a waitUntil) look(ctx context.Context, p *Page) (answer, error) {
	holds, err := evaluateIn[bool](ctx, p, a.Frame, "(async () => Boolean(await ("+a.Script+"\n)))()")
	if thrown, ok := errors.AsType[*chromedp.ExceptionError](err); ok {
		return answer{}, judgeThrown(thrown)
	}
	if holds {
		return answer{State: ready}, err
	}
	return answer{State: "false"}, err
}
