package sakuli

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/grafana/sobek"
)

// fetchWords are the questions to a page.
func fetchWords() []word {
	return []word{
		{name: "_fetch", do: fetch},
		{name: "_exists", do: yesOrNo("_exists", "exists")},
		{name: "_isVisible", do: yesOrNo("_isVisible", "visible")},
		{name: "_isChecked", do: asking("_isChecked", "checked")},
		{name: "_isEnabled", do: asking("_isEnabled", "enabled")},
		{name: "_areEqual", do: askingTwo("_areEqual", "equal")},
		{name: "_contains", do: askingTwo("_contains", "contains")},
		{name: "_containsText", do: func(m *machine, a args) any { return m.containsText("_containsText", a.query(0), a.at(1)) }},
		{name: "_containsHTML", do: containsHTML},
		{name: "_getText", do: asking("_getText", "text")},
		{name: "_getCellText", do: asking("_getCellText", "text")},
		{name: "_getValue", do: asking("_getValue", "value")},
		{name: "_getAttribute", do: asking("_getAttribute", "attribute")},
		{name: "_getOptions", do: asking("_getOptions", "options")},
		{name: "_getSelectedText", do: asking("_getSelectedText", "selectedText")},
		{name: "_getSelectionText", do: askingPage("_getSelectionText", "selection")},
		{name: "_position", do: asking("_position", "position")},
		{name: "_style", do: asking("_style", "style")},
		{name: "_title", do: askingPage("_title", "title")},
		{name: "_collect", do: collect},
		{name: "_count", do: count},
		{name: "_setFetchTimeout", do: setFetchTimeout, now: true},
		{name: "_getFetchTimeout", do: func(m *machine, _ args) any { return m.patience.Milliseconds() }, now: true},
	}
}

// value is the answer's value for the JavaScript.
func (m *machine) value(a answer) any { return m.js(m.plain(a)) }

func (m *machine) js(v any) any {
	switch v := v.(type) {
	case nil:
		return sobek.Null()
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = m.js(v[i])
		}
		return m.vm.NewArray(items...)
	}
	return v
}

// plain is the answer's value.
func (m *machine) plain(a answer) any {
	var v any
	if len(a.Value) > 0 {
		if err := json.Unmarshal(a.Value, &v); err != nil {
			m.throw(err)
		}
	}
	return v
}

// fetch waits until the element is there.
func fetch(m *machine, a args) any {
	q := a.query(0)
	m.see("_fetch("+q.String()+")", m.patience, question{Op: "there", Q: []query{q}})
	return a.at(0)
}

// asking waits until the element is there, and asks something of it.
func asking(name, op string) func(*machine, args) any {
	return func(m *machine, a args) any {
		q := a.query(0)
		return m.value(m.see(name+"("+q.String()+")", m.patience, question{Op: op, Q: []query{q}, Arg: a.text(1)}))
	}
}

func askingTwo(name, op string) func(*machine, args) any {
	return func(m *machine, a args) any {
		qs := []query{a.query(0), a.query(1)}
		return m.value(m.see(name+"("+qs[0].String()+", "+qs[1].String()+")", m.patience, question{Op: op, Q: qs}))
	}
}

func askingPage(name, op string) func(*machine, args) any {
	return func(m *machine, _ args) any {
		return m.value(m.see(name+"()", m.patience, question{Op: op}))
	}
}

func yesOrNo(name, op string) func(*machine, args) any {
	return func(m *machine, a args) any { return m.becomes(name, op, a.query(0), true, glance) }
}

// becomes asks until the answer is want, for at most limit, and returns the last one.
func (m *machine) becomes(name, op string, q query, want bool, limit time.Duration) bool {
	for end := time.Now().Add(limit); ; {
		now, _ := m.plain(m.see(name+"("+q.String()+")", m.patience, question{Op: op, Q: []query{q}})).(bool)
		if now == want || !time.Now().Before(end) || !m.rest() {
			return now
		}
	}
}

// rest waits a bit before the page is asked again; it is false when the run has no
// time for that.
func (m *machine) rest() bool {
	ctx, cancel := m.bounded()
	defer cancel()
	return sleep(ctx, 50*time.Millisecond) == nil
}

// containsText asks whether an element shows a text or what matches a pattern; a text
// may be a pattern as well.
func (m *machine) containsText(name string, q query, want sobek.Value) bool {
	is := m.matcher(want)
	for end := time.Now().Add(glance); ; {
		text, _ := m.plain(m.see(name+"("+q.String()+")", m.patience, question{Op: "text", Q: []query{q}})).(string)
		if is(text) || !time.Now().Before(end) || !m.rest() {
			return is(text)
		}
	}
}

// matcher makes a test of what a suite looks for in a text.
func (m *machine) matcher(want sobek.Value) func(string) bool {
	test := func(re *sobek.Object) func(string) bool {
		f, _ := sobek.AssertFunction(re.Get("test"))
		return func(text string) bool {
			v, err := f(re, m.vm.ToValue(text))
			return err == nil && v.ToBoolean()
		}
	}
	if o, ok := want.(*sobek.Object); ok && o.ClassName() == "RegExp" {
		return test(o)
	}
	text := want.String()
	plain := regexp.MustCompile(regexp.QuoteMeta(text)).MatchString
	re, err := m.vm.New(m.vm.Get("RegExp"), m.vm.ToValue(text))
	if err != nil { // then it is just a text
		return plain
	}
	matches := test(re)
	return func(s string) bool { return plain(s) || matches(s) }
}

func containsHTML(m *machine, a args) any {
	q := a.query(0)
	html, _ := m.plain(m.see("_containsHTML("+q.String()+")", m.patience, question{Op: "html", Q: []query{q}})).(string)
	return m.matcher(a.at(1))(html)
}

// several is the query of _collect and _count, which name an accessor.
func (m *machine) several(a args) query {
	name := a.text(0)
	css, ok := accessors()[name]
	if !ok {
		m.throwf("got %q, want the name of an accessor, such as \"_link\"", cut(name, 40))
	}
	q, _ := hidden[query](m, m.access(name, css)(sobek.FunctionCall{Arguments: slices.Clone(a.list[1:])}))
	return q
}

func count(m *machine, a args) any {
	q := m.several(a)
	return m.value(m.see("_count("+q.String()+")", m.patience, question{Op: "count", Q: []query{q}}))
}

func collect(m *machine, a args) any {
	q := m.several(a)
	n, _ := m.plain(m.see("_collect("+q.String()+")", m.patience, question{Op: "count", Q: []query{q}})).(float64)
	list := make([]any, int(n))
	for i := range list {
		each := q
		each.Nth = &i
		each.accessor, each.args, each.Rel = "_collect", q.String()+")["+strconv.Itoa(i), q.Rel
		list[i] = m.element(each)
	}
	return m.vm.NewArray(list...)
}

func setFetchTimeout(m *machine, a args) any {
	m.patience = a.milliseconds(0, patience)
	return nil
}
