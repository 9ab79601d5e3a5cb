package sakuli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/results"
)

// assertWords are what a suite holds to be so.
func assertWords() []word {
	return []word{
		{name: "_assert", do: asserting("_assert", true)},
		{name: "_assertTrue", do: asserting("_assertTrue", true)},
		{name: "_assertFalse", do: asserting("_assertFalse", false)},
		{name: "_assertNotTrue", do: asserting("_assertNotTrue", false)},
		{name: "_assertEqual", do: assertEqual("_assertEqual")},
		{name: "_assertEqualArrays", do: assertEqual("_assertEqualArrays")},
		{name: "_assertNotEqual", do: assertNotEqual},
		{name: "_assertNull", do: assertNull},
		{name: "_assertNotNull", do: assertNotNull},
		{name: "_assertExists", do: assertExists},
		{name: "_assertNotExists", do: assertNotExists},
		{name: "_assertContainsText", do: assertContainsText},
		{name: "_assertNotContainsText", do: assertNotContainsText},
	}
}

// told is an error of the suite's own words, with its place.
func (m *machine) told(text string) error { return errors.New(m.here() + m.page.Mask(text)) }

// hold fails with the suite's message, and what was found, unless ok.
func (m *machine) hold(ok bool, name string, message sobek.Value, format string, args ...any) any {
	if ok {
		return nil
	}
	text := name + ": " + fmt.Sprintf(format, args...)
	if !sobek.IsUndefined(message) && !sobek.IsNull(message) {
		text += ": " + message.String()
	}
	m.throw(results.Fault(results.CauseAnswer, m.told(text)))
	return nil
}

func asserting(name string, want bool) func(*machine, args) any {
	return func(m *machine, a args) any {
		return m.hold(a.at(0).ToBoolean() == want, name, a.at(1), "got %s, want %v", written(a.at(0)), want)
	}
}

func assertEqual(name string) func(*machine, args) any {
	return func(m *machine, a args) any {
		return m.hold(m.equal(a.at(0), a.at(1)), name, a.at(2), "got %s, want %s", m.inspect(a.at(1)), m.inspect(a.at(0)))
	}
}

func assertNotEqual(m *machine, a args) any {
	return m.hold(!m.equal(a.at(0), a.at(1)), "_assertNotEqual", a.at(2), "got %s, want something else", m.inspect(a.at(1)))
}

func assertNull(m *machine, a args) any {
	return m.hold(sobek.IsNull(a.at(0)) || !m.waits && !a.has(0), "_assertNull", a.at(1), "got %s, want null", m.inspect(a.at(0)))
}

func assertNotNull(m *machine, a args) any {
	return m.hold(!sobek.IsNull(a.at(0)) && (m.waits || a.has(0)), "_assertNotNull", a.at(1), "got null, want something else")
}

func assertExists(m *machine, a args) any {
	q := a.query(0)
	return m.hold(m.becomes("_assertExists", "exists", q, true, m.patience), "_assertExists", a.at(1), "there is no %s", q)
}

func assertNotExists(m *machine, a args) any {
	q := a.query(0)
	return m.hold(!m.becomes("_assertNotExists", "exists", q, false, glance), "_assertNotExists", a.at(1), "there is %s", q)
}

func assertContainsText(m *machine, a args) any {
	q := a.query(1)
	ok := m.containsText("_assertContainsText", q, a.at(0))
	return m.hold(ok, "_assertContainsText", a.at(2), "%s does not show %s", q, m.inspect(a.at(0)))
}

func assertNotContainsText(m *machine, a args) any {
	q := a.query(1)
	text, _ := m.plain(m.see("_assertNotContainsText("+q.String()+")", m.patience, question{Op: "text", Q: []query{q}})).(string)
	return m.hold(!m.matcher(a.at(0))(text), "_assertNotContainsText", a.at(2), "%s shows %s", q, m.inspect(a.at(0)))
}

// equal compares as the suite's version does: 2 strictly and through and through, 1 by
// what the values look like.
func (m *machine) equal(want, got sobek.Value) bool {
	if m.waits {
		return m.inspect(want) == m.inspect(got)
	}
	if isList(want) && isList(got) {
		return m.inspect(want) == m.inspect(got)
	}
	return strings.TrimSpace(want.String()) == strings.TrimSpace(got.String())
}

func isList(v sobek.Value) bool {
	o, ok := v.(*sobek.Object)
	return ok && o.ClassName() == "Array"
}

// inspect writes a value so that what differs looks different.
func (m *machine) inspect(v sobek.Value) string {
	if q, ok := hidden[query](m, v); ok {
		return q.String()
	}
	o, ok := v.(*sobek.Object)
	if !ok {
		if sobek.IsString(v) {
			return fmt.Sprintf("%q", v.String())
		}
		return v.String()
	}
	if o.ClassName() == "RegExp" || o.ClassName() == "Function" {
		return o.String()
	}
	text, err := o.MarshalJSON()
	if err != nil {
		return o.String()
	}
	return o.ClassName() + " " + string(text)
}
