package sakuli

import "github.com/grafana/sobek"

// defineElements gives elements what suites of version 1 read of them as of the page's
// own, and those of version 2 what they call on what _fetch gave.
func (m *machine) defineElements() error {
	for _, name := range []string{
		"value", "checked", "disabled", "href", "src", "id", "name", "className", "innerHTML", "innerText",
		"textContent", "title", "type", "selectedIndex", "tagName",
	} {
		get := func(call sobek.FunctionCall) sobek.Value {
			q := m.query(call.This)
			return m.vm.ToValue(m.value(m.see(q.String()+"."+name, m.patience, question{Op: "property", Q: []query{q}, Arg: name})))
		}
		if err := m.elements.DefineAccessorProperty(name, m.vm.ToValue(get), nil, sobek.FLAG_FALSE, sobek.FLAG_FALSE); err != nil {
			return err
		}
	}
	for name, word := range map[string]string{
		"getText": "_getText", "getAttribute": "_getAttribute", "isDisplayed": "_isVisible", "isEnabled": "_isEnabled",
		"isSelected": "_isChecked", "click": "_click", "sendKeys": "_type",
	} {
		f, _ := sobek.AssertFunction(m.vm.Get(word))
		call := func(call sobek.FunctionCall) sobek.Value {
			v, err := f(sobek.Undefined(), append([]sobek.Value{call.This}, call.Arguments...)...)
			if err != nil {
				m.rethrow(err)
			}
			return v
		}
		if err := m.elements.Set(name, call); err != nil {
			return err
		}
	}
	return m.elements.Set("toString", func(call sobek.FunctionCall) sobek.Value { return m.vm.ToValue(m.query(call.This).String()) })
}
