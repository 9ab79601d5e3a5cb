package journeys

import (
	"context"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type typing struct {
	Into Selector `yaml:"into"`
	Text string   `yaml:"text"`
}

func typeKind() kind.Kind[Action] {
	return kind.Of("type", "types a text into a field, in place of what it held",
		"into: \"#name\"\ntext: Ada\n", typing{},
		func(s typing) (Action, error) { return s, s.Into.required("into") })
}

// String implements [Action]; the text may be a secret and is left out.
func (a typing) String() string { return "type into " + a.Into.String() }

// Do implements [Action]. Fields that have a picker instead of a caret, such as
// dates, get the text as their value.
func (a typing) Do(ctx context.Context, p *Page, _ *results.Span) error {
	secret := p.noteTyped(a.Text)
	at, err := p.await(ctx, query{Selector: a.Into, Op: opType, Arg: a.Text, Secret: secret})
	if err != nil || at.Done {
		return err
	}
	return p.settle(ctx, typed(a.Text))
}

// typed types a text in place of what is selected.
func typed(text string) chromedp.Action[chromedp.Void] {
	if text == "" {
		text = kb.Backspace
	}
	return chromedp.KeyEvent(text)
}
