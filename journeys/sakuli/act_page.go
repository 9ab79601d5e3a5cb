package sakuli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/results"
)

// pageWords are the words that concern a page as a whole.
func pageWords() []word {
	return []word{
		{name: "_navigateTo", do: navigateTo},
		{name: "_authenticate", do: authenticate},
		{name: "_wait", do: wait},
		{name: "_pageIsStable", do: pageIsStable},
		{name: "_eval", do: eval},
		{name: "_highlight", do: highlight},
		{name: "_rteWrite", do: rteWrite},
		{name: "_expectConfirm", do: expectConfirm},
		{name: "_expectPrompt", do: expectPrompt},
		{name: "_lastAlert", do: lastDialog("alert")},
		{name: "_lastConfirm", do: lastDialog("confirm")},
		{name: "_lastPrompt", do: lastDialog("prompt")},
	}
}

func navigateTo(m *machine, a args) any {
	target := m.address(a.text(0))
	if o, ok := a.at(2).(*sobek.Object); ok {
		user, password := o.Get("user"), o.Get("password")
		if user == nil || password == nil {
			m.throwf("_navigateTo: got credentials without user and password, want {user: ..., password: ...}")
		}
		m.page.Hide(password.String())
		target.User = url.UserPassword(user.String(), password.String())
	}
	m.visit("_navigateTo", target, a.yes(1))
	return nil
}

// visit opens an address; its name leaves out what may be a secret.
func (m *machine) visit(name string, target *url.URL, again bool) {
	m.act(name+"("+redact(target)+")", func(ctx context.Context, span *results.Span) error {
		for {
			err := m.page.Visit(ctx, span, target.String())
			switch {
			case m.page.DocumentStatus() == http.StatusUnauthorized && name != "_authenticate":
				return nil // _authenticate may follow, and what else does not find its page
			case err != nil || !again:
				return err
			}
			again = false
		}
	})
}

func redact(u *url.URL) string {
	shown := *u
	if shown.RawQuery != "" {
		shown.RawQuery = "..."
	}
	shown.User, shown.Fragment, shown.RawFragment = nil, "", ""
	return shown.String()
}

// address is where text leads from the page that is open.
func (m *machine) address(text string) *url.URL {
	u, err := url.Parse(text)
	if err == nil && !u.IsAbs() {
		var base *url.URL
		if base, err = url.Parse(m.url()); err == nil {
			u = base.ResolveReference(u)
		}
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		m.throwf("got %q, want an address with http:// or https://", cut(text, 80))
	}
	return u
}

func (m *machine) url() string {
	s, _ := m.plain(m.see("the address of the page", m.patience, question{Op: "url"})).(string)
	return s
}

func authenticate(m *machine, a args) any {
	m.page.Hide(a.text(1))
	target := m.address(m.url())
	target.User = url.UserPassword(a.text(0), a.text(1))
	m.visit("_authenticate", target, false)
	return nil
}

// wait waits for some time, or until what it is given is true. In version 2 that
// must come true; in version 1 the suite goes on.
func wait(m *machine, a args) any {
	d := a.milliseconds(0, 0)
	f, ok := sobek.AssertFunction(a.at(1))
	if !ok {
		m.act(fmt.Sprintf("_wait(%d)", d.Milliseconds()), func(context.Context, *results.Span) error { return nil })
		m.pause(d)
		return nil
	}
	end := time.Now().Add(d)
	var again func(sobek.Value) any
	ask := func() any {
		v, err := f(sobek.Undefined())
		if err != nil {
			m.rethrow(err)
		}
		if p, ok := v.Export().(*sobek.Promise); ok && p.State() != sobek.PromiseStateFulfilled {
			return m.then(v, again)
		} else if ok {
			v = p.Result()
		}
		return again(v)
	}
	again = func(v sobek.Value) any {
		switch {
		case v.ToBoolean():
			return nil
		case time.Now().Before(end):
			m.pause(min(200*time.Millisecond, time.Until(end)))
			return ask()
		case m.waits:
			m.throw(results.Fault(results.CauseTimeout, m.told(fmt.Sprintf("_wait: not true after %v", d))))
		}
		return nil
	}
	return ask()
}

// then goes on with next when the promise has its value.
func (m *machine) then(promise sobek.Value, next func(sobek.Value) any) any {
	o := promise.ToObject(m.vm)
	f, _ := sobek.AssertFunction(o.Get("then"))
	v, err := f(o, m.vm.ToValue(func(call sobek.FunctionCall) sobek.Value {
		return m.vm.ToValue(next(call.Argument(0)))
	}))
	if err != nil {
		m.rethrow(err)
	}
	return v
}

// rethrow goes on with what JavaScript threw that we called.
func (m *machine) rethrow(err error) {
	var ex *sobek.Exception
	if errors.As(err, &ex) && !errors.As(err, new(*sobek.InterruptedError)) {
		panic(ex.Value())
	}
	panic(err)
}

// pause waits, as long as the run has time.
func (m *machine) pause(d time.Duration) {
	ctx, cancel := m.bounded()
	defer cancel()
	if sleep(ctx, d) != nil {
		m.throw(results.Blind(results.CauseStalled, m.told("the time of the check was over while the suite waited")))
	}
}

func pageIsStable(m *machine, a args) any {
	end, step := time.Now().Add(a.milliseconds(0, 2*time.Second)), a.milliseconds(1, 200*time.Millisecond)
	look := func() string { return string(m.see("_pageIsStable()", m.patience, question{Op: "dom"}).Value) }
	for before := look(); time.Now().Before(end); {
		m.pause(step)
		now := look()
		if now == before {
			return true
		}
		before = now
	}
	return false
}

// eval runs JavaScript in the page, which finds the arguments behind the source.
func eval(m *machine, a args) any {
	type argument struct {
		Element any `json:"element,omitempty"`
		Value   any `json:"value,omitempty"`
	}
	ask := question{Op: "eval"}
	passed := []argument{}
	for i := 1; i < len(a.list); i++ {
		if q, ok := hidden[query](m, a.at(i)); ok {
			passed = append(passed, argument{Element: len(ask.Q)})
			ask.Q = append(ask.Q, q)
			continue
		}
		passed = append(passed, argument{Value: a.at(i).Export()})
	}
	ask.Arg = map[string]any{"source": a.text(0), "args": passed}
	var out answer
	m.act("_eval()", func(ctx context.Context, _ *results.Span) error {
		return m.page.Settle(ctx, func(ctx context.Context, _ *chromedp.Target) (err error) {
			out, err = await(ctx, m.page, ask)
			return err
		})
	})
	return m.value(out)
}

// highlight waits until the element can be seen; nobody would see a frame around it.
func highlight(m *machine, a args) any {
	q := a.query(0)
	m.act("_highlight("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		_, err := await(ctx, m.page, question{Op: "seen", Q: []query{q}})
		return err
	})
	return nil
}

func rteWrite(m *machine, a args) any {
	q := a.query(0)
	m.act("_rteWrite("+q.String()+")", func(ctx context.Context, _ *results.Span) error {
		_, err := await(ctx, m.page, question{Op: "rte", Q: []query{q}, Arg: a.text(1)})
		return err
	})
	return nil
}

func expectConfirm(m *machine, a args) any {
	m.page.AnswerDialogs(a.yes(len(a.list)-1), "")
	return nil
}

func expectPrompt(m *machine, a args) any {
	last := max(len(a.list)-1, 0)
	m.page.AnswerDialogs(a.has(last), a.text(last))
	return nil
}

func lastDialog(of string) func(*machine, args) any {
	return func(m *machine, _ args) any {
		if s, ok := m.page.LastDialog(of); ok {
			return s
		}
		return sobek.Null()
	}
}

// combo reads keys that are held meanwhile, such as CTRL|SHIFT.
func (m *machine) combo(text string) []chromedp.Modifier {
	var held []chromedp.Modifier
	for word := range slices.Values(splitCombo(text)) {
		switch word {
		case "CTRL":
			held = append(held, chromedp.ModifierCtrl)
		case "SHIFT":
			held = append(held, chromedp.ModifierShift)
		case "ALT":
			held = append(held, chromedp.ModifierAlt)
		case "META":
			held = append(held, chromedp.ModifierMeta)
		default:
			m.throwf("got %q, want keys such as CTRL or CTRL|SHIFT", text)
		}
	}
	return held
}
