package sakuli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path"
	"path/filepath"
	"strings"

	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/results"
)

var errTimer = errors.New("the time of the check was over while the suite waited for its setTimeout")

// otherWords are the words that have to do with no page.
func otherWords() []word {
	return []word{
		{name: "_dynamicInclude", do: func(*machine, args) any { return nil }},
		{name: "_include", do: include, now: true},
		{name: "require", do: require, now: true},
		{name: "done", do: func(m *machine, _ args) any { m.timers = timers{}; return nil }, now: true},
		{name: "setTimeout", do: setTimeout, now: true},
		{name: "setInterval", do: setInterval, now: true},
		{name: "clearTimeout", do: clearTimer, now: true},
		{name: "clearInterval", do: clearTimer, now: true},
		{name: "_readFile", do: func(m *machine, a args) any { return m.read(a.text(0)) }},
		{name: "_readCSVFile", do: readCSV},
		{name: "_log", do: func(m *machine, a args) any { m.say(slog.LevelInfo, a.list[:min(1, len(a.list))]); return nil }},
		{name: "_debug", do: func(m *machine, a args) any { m.say(slog.LevelDebug, a.list); return nil }},
		{name: "_random", do: func(_ *machine, a args) any { return rand.N(max(int64(a.number(0)), 0) + 1) }}, //nolint:gosec // a number for a test
	}
}

// inSuite is the path in the suite that a file name means: beside the file that runs.
func (m *machine) inSuite(name string) string {
	if dir, err := filepath.Abs(m.suite.dir); err == nil && filepath.IsAbs(name) {
		if rel, err := filepath.Rel(dir, name); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return path.Join(m.folder(), filepath.ToSlash(name))
}

// read returns the text of a file of the suite.
func (m *machine) read(name string) string {
	text, err := readIn(m.root, m.inSuite(name))
	if err != nil {
		m.throw(results.Blind(results.CauseInternal, fmt.Errorf("%s%s: %w", m.here(), name, err)))
	}
	return string(text)
}

func readCSV(m *machine, a args) any {
	r := csv.NewReader(strings.NewReader(m.read(a.text(0))))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	if sep := []rune(a.text(1)); len(sep) == 1 {
		r.Comma = sep[0]
	}
	rows, err := r.ReadAll()
	if err != nil {
		m.throwf("%s: %v", a.text(0), err)
	}
	list := make([]any, len(rows))
	for i, row := range rows {
		fields := make([]any, len(row))
		for k, f := range row {
			fields[k] = f
		}
		list[i] = m.vm.NewArray(fields...)
	}
	return m.vm.NewArray(list...)
}

// script is a file of JavaScript of the suite. One that is not named in so many words
// is read now.
func (m *machine) script(name string) *source {
	if path.Ext(name) == "" {
		name += ".js"
	}
	l := &loader{m.root, m.scripts}
	s, err := l.load(name)
	if err == nil {
		err = l.check()
	}
	if err != nil {
		m.throw(results.Blind(results.CauseInternal, fmt.Errorf("%s%w", m.here(), err)))
	}
	return s
}

// include runs a file of the suite as if it stood here, once.
func include(m *machine, a args) any {
	s := m.script(m.inSuite(a.text(0)))
	if _, done := m.modules[s.name]; done {
		return nil
	}
	m.modules[s.name] = sobek.Undefined()
	if _, err := m.vm.RunProgram(s.program); err != nil {
		m.rethrow(err)
	}
	return nil
}

// require gives what a file of the suite exports. Of what Sakuli itself gives, all is
// there without it.
func require(m *machine, a args) any {
	name := a.text(0)
	if strings.HasPrefix(name, "@sakuli/") {
		return m.vm.GlobalObject()
	}
	if !isPath(name) {
		m.throwf("require: got %q, want a file of the suite such as ./login.js: there is no Node here", name)
	}
	if path.Ext(name) == ".json" {
		return m.parse(m.read(name))
	}
	s := m.script(m.inSuite(name))
	if v, ok := m.modules[s.name]; ok {
		return v.ToObject(m.vm).Get("exports")
	}
	module := m.vm.NewObject()
	exports := m.vm.NewObject()
	m.set(module, "exports", exports)
	m.modules[s.name] = module
	program, err := s.module()
	if err != nil {
		m.throwf("%v", err)
	}
	f, err := m.vm.RunProgram(program)
	if err != nil {
		m.rethrow(err)
	}
	call, _ := sobek.AssertFunction(f)
	dir := m.vm.ToValue(path.Dir(s.name))
	if _, err := call(sobek.Undefined(), module, exports, m.vm.Get("require"), m.vm.ToValue(s.name), dir); err != nil {
		m.rethrow(err)
	}
	return module.Get("exports")
}

func (m *machine) parse(text string) any {
	json := m.vm.Get("JSON").ToObject(m.vm)
	f, _ := sobek.AssertFunction(json.Get("parse"))
	v, err := f(json, m.vm.ToValue(text))
	if err != nil {
		m.rethrow(err)
	}
	return v
}

func (m *machine) set(o *sobek.Object, name string, v any) {
	if err := o.Set(name, v); err != nil {
		panic(err)
	}
}

// process is what of Node's process a suite may know: its environment.
func (m *machine) process() *sobek.Object {
	o := m.vm.NewObject()
	m.set(o, "env", m.vm.NewDynamicObject(environment{m}))
	return o
}

// An environment shows the variables of the environment, one at a time.
type environment struct{ m *machine }

// Get implements [sobek.DynamicObject].
func (e environment) Get(key string) sobek.Value { //nolint:ireturn // the interface has it so
	if s, ok := e.m.suite.environ(key); ok {
		return e.m.vm.ToValue(s)
	}
	return nil
}

// Set implements [sobek.DynamicObject]: nothing can be set.
func (environment) Set(string, sobek.Value) bool { return false }

// Has implements [sobek.DynamicObject].
func (e environment) Has(key string) bool {
	_, ok := e.m.suite.environ(key)
	return ok
}

// Delete implements [sobek.DynamicObject]: nothing can be taken out.
func (environment) Delete(string) bool { return false }

// Keys implements [sobek.DynamicObject]: who does not know a name, does not learn it.
func (environment) Keys() []string { return nil }

// say writes what the suite has to say to the log.
func (m *machine) say(level slog.Level, list []sobek.Value) {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.String()
	}
	m.log.Log(m.ctx, level, "suite says", "suite", m.suite.ID, "at", strings.TrimSuffix(m.here(), ": "),
		"text", cut(m.page.Mask(strings.Join(texts, " ")), 1000))
}

func (m *machine) console() *sobek.Object {
	return m.sayer(map[string]slog.Level{
		"log": slog.LevelInfo, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
		"debug": slog.LevelDebug, "trace": slog.LevelDebug, "dir": slog.LevelInfo,
	})
}

func (m *machine) logger() *sobek.Object {
	return m.sayer(map[string]slog.Level{
		"logInfo": slog.LevelInfo, "logWarning": slog.LevelWarn, "logError": slog.LevelError, "logDebug": slog.LevelDebug,
		"info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "debug": slog.LevelDebug, "trace": slog.LevelDebug,
	})
}

func (m *machine) sayer(levels map[string]slog.Level) *sobek.Object {
	o := m.vm.NewObject()
	for name, level := range levels {
		m.set(o, name, func(call sobek.FunctionCall) sobek.Value {
			m.say(level, call.Arguments)
			return sobek.Undefined()
		})
	}
	return o
}
