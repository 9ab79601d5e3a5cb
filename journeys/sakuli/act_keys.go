package sakuli

import (
	"context"
	"path/filepath"
	"strconv"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

// keyWords are what a keyboard does, and where it types.
func keyWords() []word {
	return []word{
		{name: "_setValue", do: setValue},
		{name: "_type", do: typeText},
		{name: "_setFile", do: setFile},
		{name: "_keyPress", do: keyPress},
		{name: "_keyDown", do: keyHalf("_keyDown")},
		{name: "_keyUp", do: keyHalf("_keyUp")},
		{name: "_focus", do: focusing("_focus", "focus")},
		{name: "_blur", do: focusing("_blur", "blur")},
		{name: "_removeFocus", do: focusing("_removeFocus", "blur")},
	}
}

// setValue types a text in place of what a field holds. What a hidden field or one
// with a picker gets is set.
func setValue(m *machine, a args) any {
	q, text := a.query(0), a.text(1)
	m.secretIn(q, text)
	m.act("_setValue("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		op := "field"
		if q.accessor == "_hidden" {
			op = "hiddenValue"
		}
		at, err := await(ctx, m.page, question{Op: op, Q: []query{q}, Arg: text})
		if err != nil || at.Done || op == "hiddenValue" {
			return err
		}
		if text == "" {
			text = kb.Backspace // what the field held is selected
		}
		return m.keys(ctx, text)
	})
	return nil
}

// secretIn hides what is typed into a field of passwords.
func (m *machine) secretIn(q query, text string) {
	if q.accessor == "_password" {
		m.page.Hide(text)
	}
}

// typeText types a text behind what a field holds.
func typeText(m *machine, a args) any {
	q, text := a.query(0), a.text(1)
	m.secretIn(q, text)
	m.act("_type("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		if _, err := await(ctx, m.page, question{Op: "caret", Q: []query{q}}); err != nil {
			return err
		}
		return m.keys(ctx, text)
	})
	return nil
}

// keys types a text, as slowly as the suite wants it.
func (m *machine) keys(ctx context.Context, text string) error {
	if m.suite.typeDelay == 0 {
		return settle(ctx, m.page, chromedp.KeyEvent(text))
	}
	for _, r := range text {
		if err := settle(ctx, m.page, chromedp.KeyEvent(string(r))); err != nil {
			return err
		}
		if err := sleep(ctx, m.suite.typeDelay); err != nil {
			return err
		}
	}
	return nil
}

// setFile puts a file of the suite into a field of files.
func setFile(m *machine, a args) any {
	q, name := a.query(0), m.inSuite(a.text(1))
	m.read(a.text(1)) // or the browser would not say what is wrong with it
	m.act("_setFile("+q.String()+", "+strconv.Quote(name)+")", func(ctx context.Context, _ *results.Span) error {
		path, err := filepath.Abs(filepath.Join(m.suite.dir, name))
		if err != nil {
			return results.Blind(results.CauseInternal, err)
		}
		if _, err := await(ctx, m.page, question{Op: "fileField", Q: []query{q}}); err != nil {
			return err
		}
		return m.page.Settle(ctx, func(ctx context.Context, t *chromedp.Target) error {
			js, err := journeys.Expression(pageFunction(), question{Op: "element", Q: []query{q}})
			if err != nil {
				return err
			}
			field, err := chromedp.Evaluate[*runtime.RemoteObject](js, chromedp.EvalAwaitPromise)(ctx, t)
			if err != nil {
				return err
			}
			_, err = cdp.Call(ctx, t, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, ObjectID: field.ObjectID})
			return err
		})
	})
	return nil
}

// key reads which key is meant: a character, its code, or a list that begins with one.
func (m *machine) key(v sobek.Value) string {
	if o, ok := v.(*sobek.Object); ok && o.ClassName() == "Array" {
		v = o.Get("0")
	}
	if v == nil || sobek.IsUndefined(v) || sobek.IsNull(v) {
		m.throwf("got no key, want a character or its code")
	}
	if sobek.IsNumber(v) {
		n := v.ToInteger()
		if n < 1 || n > unicode.MaxRune {
			m.throwf("got %d, want the code of a character", n)
		}
		return string(rune(n))
	}
	r := []rune(v.String())
	if len(r) != 1 {
		m.throwf("got %q, want one character or its code", cut(v.String(), 20))
	}
	return string(r)
}

func keyPress(m *machine, a args) any {
	q, key, held := a.query(0), m.key(a.at(1)), m.combo(a.text(2))
	m.act("_keyPress("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		if _, err := await(ctx, m.page, question{Op: "focus", Q: []query{q}}); err != nil {
			return err
		}
		return settle(ctx, m.page, chromedp.KeyEvent(key, chromedp.KeyModifiers(held...)))
	})
	return nil
}

// keyHalf presses a key without letting it go, or lets it go.
func keyHalf(name string) func(*machine, args) any {
	return func(m *machine, a args) any {
		q, key, held := a.query(0), m.key(a.at(1)), m.combo(a.text(2))
		m.act(name+"("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
			if _, err := await(ctx, m.page, question{Op: "focus", Q: []query{q}}); err != nil {
				return err
			}
			events := kb.Encode([]rune(key)[0])
			event := events[0]
			if name == "_keyUp" {
				event = events[len(events)-1]
			}
			for _, h := range held {
				event.Modifiers |= int64(h)
			}
			return m.page.Settle(ctx, func(ctx context.Context, t *chromedp.Target) error {
				_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *event)
				return err
			})
		})
		return nil
	}
}

func focusing(name, op string) func(*machine, args) any {
	return func(m *machine, a args) any {
		q := a.query(0)
		m.act(name+"("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
			_, err := await(ctx, m.page, question{Op: op, Q: []query{q}})
			return err
		})
		return nil
	}
}
