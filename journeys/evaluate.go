package journeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type script struct {
	Script string `yaml:"script"`
}

func evaluateKind() kind.Kind[Action] {
	return kind.Of("evaluate", "runs JavaScript in the page; what it throws, or a promise that is rejected, fails the journey",
		"localStorage.setItem(\"banner\", \"seen\")\n", script{},
		func(s script) (Action, error) {
			if s.Script == "" {
				return nil, kind.At("script", errors.New("got none, want JavaScript"))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *script) UnmarshalNode(n kind.Node) error {
	type whole script
	return decodeShort(n, &a.Script, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *script) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(kind.TextSchema(), g.Fields(*a, nil))
}

// String implements [Action]; the script may hold a secret and is left out.
func (a script) String() string { return "evaluate JavaScript" }

// Do implements [Action]. If the script leads to another page, it waits until that
// page answers.
func (a script) Do(ctx context.Context, p *Page, _ *results.Span) error {
	return p.settle(ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := p.evaluateScript(ctx, a.Script)
		return err
	}))
}

// evaluateScript runs JavaScript in the page and returns its result: a text as it is,
// anything else as JSON. What it throws is critical; what is no JavaScript is unknown.
func (p *Page) evaluateScript(ctx context.Context, js string) (string, error) {
	out, err := chromedp.Evaluate[any](js, chromedp.EvalAwaitPromise)(ctx, p.target)
	var thrown *chromedp.ExceptionError
	switch {
	case errors.Is(err, chromedp.ErrJSUndefined), errors.Is(err, chromedp.ErrJSNull):
		return "", nil
	case errors.As(err, &thrown):
		return "", judgeThrown(thrown)
	case err != nil:
		return "", err
	}
	if text, ok := out.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(out)
	return string(text), err
}

func judgeThrown(thrown *chromedp.ExceptionError) error {
	said := thrown.Text
	if e := thrown.Exception; e != nil {
		said = strings.Trim(string(e.Value), `"`)
		if e.Description != "" {
			said, _, _ = strings.Cut(e.Description, "\n")
		}
	}
	if strings.HasPrefix(said, "SyntaxError") {
		return results.Blind(results.CauseInternal, fmt.Errorf("not JavaScript: %s", said))
	}
	return results.Fault(results.CauseAnswer, fmt.Errorf("threw %s", said))
}
