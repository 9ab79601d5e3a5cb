package sakuli

import (
	"path/filepath"
	"strings"

	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/results"
)

// testCase is the class TestCase. Version 1 calls it with its thresholds alone, or
// with a list that begins with its name; version 2 with a name and its thresholds.
func (m *machine) testCase(call sobek.ConstructorCall) *sobek.Object {
	a := args{m, call.Arguments}
	if o, ok := a.at(0).(*sobek.Object); ok && o.ClassName() == "Array" {
		a.list = nil
		m.vm.ForOf(o, func(v sobek.Value) bool {
			a.list = append(a.list, v)
			return true
		})
	}
	name := m.steps.name
	if sobek.IsString(a.at(0)) {
		name, a.list = a.text(0), a.list[1:]
	} else if len(a.list) > 0 && !a.has(0) {
		a.list = a.list[1:]
	}
	m.steps.name = m.page.Mask(name)
	m.steps.span.Rename(m.steps.name)
	m.steps.span.Limit(a.seconds(0), a.seconds(1))
	methods := map[string]func(args) any{
		"startStep": m.startStep, "endOfStep": m.endOfStep, "handleException": m.handleException,
		"saveResult": func(args) any {
			m.steps.save()
			return nil
		},
		"throwException": m.throwException, "addImagePaths": func(args) any { return nil },
		"getID":                  func(args) any { return name },
		"getLastURL":             m.lastURL,
		"getLastUrl":             m.lastURL,
		"getTestCaseFolderPath":  func(args) any { return filepath.Join(m.suite.dir, m.folder()) },
		"getTestSuiteFolderPath": func(args) any { return m.suite.dir },
	}
	for method, do := range methods {
		f := m.vm.ToValue(m.native(word{name: method, do: func(_ *machine, a args) any { return do(a) }}))
		if !strings.HasPrefix(method, "get") && method != "addImagePaths" {
			lifted, err := m.lift(sobek.Undefined(), f)
			if err != nil {
				panic(err)
			}
			f = lifted
		}
		if err := call.This.Set(method, f); err != nil {
			panic(err)
		}
	}
	return nil
}

func (m *machine) startStep(a args) any {
	m.steps.start(plannedStep{name: m.page.Mask(a.text(0)), warning: a.seconds(1), critical: a.seconds(2)})
	return nil
}

func (m *machine) endOfStep(a args) any {
	m.steps.end(plannedStep{name: m.page.Mask(a.text(0)), warning: a.seconds(1), critical: a.seconds(2)}, nil)
	return nil
}

func (m *machine) handleException(a args) any {
	m.fail(m.thrownAt(a.at(0), m.here()))
	return nil
}

// fail makes the step that is under way fail, and keeps what the run saw.
func (m *machine) fail(err error) {
	m.steps.begin()
	if m.keep && m.steps.failed == nil {
		m.page.Keep(m.ctx, m.steps.step, "failure")
	}
	m.steps.fail(err, placeOf(err))
}

// placeOf reads the place that an error begins with.
func placeOf(err error) place {
	file, rest, _ := strings.Cut(err.Error(), ":")
	n, _, ok := strings.Cut(rest, ":")
	if !ok {
		return place{}
	}
	line := 0
	for _, c := range n {
		if c < '0' || c > '9' {
			return place{}
		}
		line = line*10 + int(c-'0')
	}
	return place{file, line}
}

func (m *machine) throwException(a args) any {
	m.throw(results.Fault(results.CauseAnswer, m.told(a.text(0))))
	return nil
}

func (m *machine) lastURL(args) any {
	return m.value(m.see("getLastURL", m.patience, question{Op: "url"}))
}
