package sakuli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grafana/sobek"
)

// A query says which elements of a page are meant. It is looked up when it is used,
// each time anew.
type query struct {
	CSS    string     `json:"css,omitempty"`
	XPath  string     `json:"xpath,omitempty"`
	Active bool       `json:"active,omitempty"` // what has the focus
	Parent *climb     `json:"parent,omitempty"`
	Cell   *cell      `json:"cell,omitempty"`
	ID     *identity  `json:"id,omitempty"`  // nil is any
	Rel    []relation `json:"rel,omitempty"` // all of them hold
	Nth    *int       `json:"nth,omitempty"` // of those that are found so
	At     *offset    `json:"at,omitempty"`  // where to click, from its corner

	accessor string // such as _link
	args     string // as they are written
}

// An identity is what an accessor's first argument says of the element.
type identity struct {
	Text  *string `json:"text,omitempty"`
	RE    *string `json:"re,omitempty"`
	Flags string  `json:"flags,omitempty"`
	Class string  `json:"class,omitempty"`
	Index *int    `json:"index,omitempty"`
}

// A relation holds an element to another one.
type relation struct {
	Kind   string `json:"kind"` // in, near, under, above, underOrAbove, leftOf, rightOf, leftOrRightOf
	Of     query  `json:"of"`
	Offset int    `json:"offset,omitempty"`

	args string
}

// A climb leads from an element to what it is in.
type climb struct {
	Of  query  `json:"of"`
	Tag string `json:"tag"`
	N   int    `json:"n"` // 1 is the nearest
}

// A cell is one of a table, by row and column from 0 or by what they show.
type cell struct {
	Of     query  `json:"of"`
	Row    int    `json:"row"`
	Column int    `json:"column"`
	InRow  string `json:"inRow,omitempty"` // instead of Row
	Under  string `json:"under,omitempty"` // instead of Column
}

type offset struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// String writes the query as the suite does.
func (q query) String() string {
	args := q.args
	for _, r := range q.Rel {
		if args != "" {
			args += ", "
		}
		args += "_" + r.Kind + "(" + r.args + ")"
	}
	return q.accessor + "(" + args + ")"
}

// access makes the accessor called name.
func (m *machine) access(name, css string) func(sobek.FunctionCall) sobek.Value {
	return func(call sobek.FunctionCall) sobek.Value {
		q := query{CSS: css, accessor: name}
		args := m.takeRelations(&q, call.Arguments)
		if name == "_cell" && len(args) == 3 {
			return m.element(m.cell(args))
		}
		if len(args) > 0 {
			q.ID, q.args = m.identity(args[0])
		}
		return m.element(q)
	}
}

// takeRelations moves the relations among args into q.
func (m *machine) takeRelations(q *query, args []sobek.Value) []sobek.Value {
	var rest []sobek.Value
	for _, a := range args {
		if r, ok := hidden[relation](m, a); ok {
			q.Rel = append(q.Rel, r)
			continue
		}
		rest = append(rest, a)
	}
	return rest
}

func (m *machine) cell(args []sobek.Value) query {
	c := cell{Of: m.query(args[0])}
	c.Row, c.InRow = index(args[1])
	c.Column, c.Under = index(args[2])
	return query{Cell: &c, accessor: "_cell", args: fmt.Sprintf("%s, %s, %s", c.Of, written(args[1]), written(args[2]))}
}

func index(v sobek.Value) (int, string) {
	if sobek.IsString(v) {
		return 0, v.String()
	}
	return int(v.ToInteger()), ""
}

// identity reads the first argument of an accessor: a number is an index, a text what
// the element is called, with [2] behind it the third of those; between slashes it is
// a regular expression.
func (m *machine) identity(v sobek.Value) (id *identity, text string) {
	switch {
	case sobek.IsUndefined(v), sobek.IsNull(v):
		return nil, ""
	case sobek.IsNumber(v):
		n := int(v.ToInteger())
		return &identity{Index: &n}, strconv.Itoa(n)
	case sobek.IsString(v):
		return textIdentity(v.String()), strconv.Quote(v.String())
	}
	o := v.ToObject(m.vm)
	if o.ClassName() == "RegExp" {
		re, flags := o.Get("source").String(), o.Get("flags").String()
		return &identity{RE: &re, Flags: flags}, "/" + re + "/" + flags
	}
	id = &identity{}
	if t := o.Get("sahiText"); t != nil {
		if inner, _ := m.identity(t); inner != nil {
			id = inner
		}
	}
	if c := o.Get("className"); c != nil {
		id.Class = c.String()
	}
	if i := o.Get("sahiIndex"); i != nil {
		n := int(i.ToInteger())
		id.Index = &n
	}
	return id, "{...}"
}

func textIdentity(s string) *identity {
	if s == "" {
		return nil
	}
	id := &identity{}
	if head, tail, ok := cutIndex(s); ok {
		id.Index, s = &tail, head
	}
	if len(s) > 2 && strings.HasPrefix(s, "/") && strings.HasSuffix(s, "/") {
		re := s[1 : len(s)-1]
		id.RE = &re
		return id
	}
	if s != "" {
		id.Text = &s
	}
	return id
}

// cutIndex takes the [2] off a text.
func cutIndex(s string) (head string, n int, ok bool) {
	open := strings.LastIndexByte(s, '[')
	if open < 0 || !strings.HasSuffix(s, "]") {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[open+1 : len(s)-1])
	return s[:open], n, err == nil && n >= 0
}

// element makes an object of the JavaScript out of a query.
func (m *machine) element(q query) *sobek.Object { return m.hide(q, m.elements) }

// hide makes an object that holds v where JavaScript cannot reach it.
func (m *machine) hide(v any, proto *sobek.Object) *sobek.Object {
	o := m.vm.CreateObject(proto)
	if err := o.DefineDataPropertySymbol(m.inner, m.vm.ToValue(&v), sobek.FLAG_FALSE, sobek.FLAG_FALSE, sobek.FLAG_FALSE); err != nil {
		panic(err)
	}
	return o
}

// hidden returns what hide put into v, if it is of type T.
func hidden[T any](m *machine, v sobek.Value) (T, bool) {
	var zero T
	o, ok := v.(*sobek.Object)
	if !ok {
		return zero, false
	}
	inner := o.GetSymbol(m.inner)
	if inner == nil {
		return zero, false
	}
	p, ok := inner.Export().(*any)
	if !ok {
		return zero, false
	}
	t, ok := (*p).(T)
	return t, ok
}

// query returns the element that an argument means.
func (m *machine) query(v sobek.Value) query {
	if q, ok := hidden[query](m, v); ok {
		return q
	}
	m.throwf("got %s, want an element such as _link(\"Log in\")", written(v))
	return query{}
}

// written shows an argument, shortly.
func written(v sobek.Value) string {
	if v == nil {
		return "nothing"
	}
	if sobek.IsString(v) {
		return strconv.Quote(cut(v.String(), 60))
	}
	if o, ok := v.(*sobek.Object); ok {
		return "an object of class " + o.ClassName()
	}
	return v.String()
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
