package journeys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type dialog struct {
	Answer string `yaml:"answer"` // accept or dismiss
	Text   string `yaml:"text"`   // typed into a prompt
}

func dialogKind() kind.Kind[Action] {
	return kind.Of("dialog", "says how the page's dialogs (alert, confirm, prompt) are answered from here on",
		"dismiss\n", dialog{},
		func(s dialog) (Action, error) {
			switch {
			case s.Answer != "accept" && s.Answer != "dismiss":
				return nil, kind.At("answer", fmt.Errorf("got %q, want accept or dismiss", s.Answer))
			case s.Text != "" && s.Answer == "dismiss":
				return nil, kind.At("text", errors.New("got it beside dismiss, want accept: a prompt that is dismissed takes no text"))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *dialog) UnmarshalNode(n kind.Node) error {
	type whole dialog
	return decodeShort(n, &a.Answer, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *dialog) NodeSchema(g *kind.Schemas) *kind.Schema {
	answer := kind.WordsSchema("accept", "dismiss")
	return kind.Either(answer, g.Fields(*a, map[string]*kind.Schema{"answer": answer}))
}

// String implements [Action]; the text may be a secret and is left out.
func (a dialog) String() string { return a.Answer + " dialogs" }

// Do implements [Action].
func (a dialog) Do(_ context.Context, p *Page, _ *results.Span) error {
	p.dialogs.mu.Lock()
	defer p.dialogs.mu.Unlock()
	p.dialogs.rule = a
	return nil
}

// dialogs is how a page's dialogs are answered, and what the last one said.
type dialogs struct {
	mu   sync.Mutex
	rule dialog // its zero value accepts, and dismisses a prompt
	last string
	each map[page.DialogType]string // the last one of each type
}

// answer keeps what box says, and returns what to do with it.
func (d *dialogs) answer(box page.EventJavascriptDialogOpening) page.HandleJavaScriptDialogParams {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = box.Message
	if d.each == nil {
		d.each = map[page.DialogType]string{}
	}
	d.each[box.Type] = box.Message
	accept := d.rule.Answer == "accept" || d.rule.Answer == "" && box.Type != page.DialogTypePrompt
	if box.Type == page.DialogTypeBeforeunload {
		accept = true // or the journey could not go on
	}
	return page.HandleJavaScriptDialogParams{Accept: accept, PromptText: d.rule.Text}
}

func (d *dialogs) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// answerDialogs answers what the page asks in a box of its own, which would stop
// it until someone answers. It returns when the tab t ends.
func (p *Page) answerDialogs(t tab) {
	for box, err := range chromedp.Events(t.ctx, page.JavascriptDialogOpening) {
		if err != nil {
			return
		}
		if err := t.target().Call(t.ctx, page.HandleJavaScriptDialog.Method, p.dialogs.answer(box), nil); err != nil {
			p.log.DebugContext(t.ctx, "page dialog was not answered", "error", err)
		}
	}
}

// seeDialog waits until the last dialog said text.
func (p *Page) seeDialog(ctx context.Context, text string) error {
	for {
		last := p.dialogs.said()
		if last != "" && strings.Contains(last, text) {
			return nil
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return &notReady{query{}, answer{State: "other dialog", Detail: last}}
		}
	}
}
