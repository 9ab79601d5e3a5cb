package sakuli

import (
	"fmt"
	"strconv"
	"strings"
)

func byID(m *machine, a args) any {
	id := a.text(0)
	return m.element(query{XPath: "//*[@id=" + xpathText(id) + "]", accessor: "_byId", args: strconv.Quote(id)})
}

// xpathText writes a text for XPath, which has no escapes.
func xpathText(s string) string {
	if !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return `concat("` + strings.ReplaceAll(s, `"`, `", '"', "`) + `")`
}

func byText(m *machine, a args) any {
	id, args := m.identity(a.at(0))
	tag := a.text(1)
	if tag == "" {
		tag = "*"
	}
	return m.element(query{CSS: tag, ID: id, accessor: "_byText", args: fmt.Sprintf("%s, %q", args, tag)})
}

func byClassName(m *machine, a args) any {
	q := query{CSS: "*", ID: &identity{Class: a.text(0)}, accessor: "_byClassName", args: strconv.Quote(a.text(0))}
	if a.has(1) {
		q.CSS = a.text(1)
		q.args += ", " + strconv.Quote(q.CSS)
	}
	return m.element(q)
}

func byXPath(m *machine, a args) any {
	return m.element(query{XPath: a.text(0), accessor: "_byXPath", args: strconv.Quote(a.text(0))})
}

func activeElement(m *machine, _ args) any {
	return m.element(query{Active: true, accessor: "_activeElement"})
}

func xy(m *machine, a args) any {
	q := a.query(0)
	q.args = fmt.Sprintf("%s, %v, %v", q, a.number(1), a.number(2))
	q.accessor, q.Rel = "_xy", append([]relation(nil), q.Rel...)
	q.At = &offset{a.number(1), a.number(2)}
	return m.element(q)
}

// relate makes a relation of elements to the one that is its argument.
func relate(kind string) func(*machine, args) any {
	return func(m *machine, a args) any {
		of := a.query(0)
		r := relation{Kind: kind, Of: of, Offset: max(int(a.number(1)), 0), args: of.String()}
		if r.Offset > 0 {
			r.args += ", " + strconv.Itoa(r.Offset)
		}
		return m.hide(r, nil)
	}
}

func parentNode(m *machine, a args) any {
	return m.climb("_parentNode", a.text(1), a.query(0), int(a.number(2)))
}

func parent(name, tag string) func(*machine, args) any {
	return func(m *machine, a args) any { return m.climb(name, tag, a.query(0), int(a.number(1))) }
}

func (m *machine) climb(name, tag string, of query, n int) any {
	q := query{Parent: &climb{Of: of, Tag: tag, N: max(n, 1)}, accessor: name, args: of.String()}
	if name == "_parentNode" {
		q.args += ", " + strconv.Quote(tag)
	}
	if n > 1 {
		q.args += ", " + strconv.Itoa(n)
	}
	return m.element(q)
}
