package sakuli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path"
	"strings"
	"time"

	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

const (
	patience  = 10 * time.Second // an action waits for the page, until _setFetchTimeout
	glance    = time.Second      // a question such as _exists waits for a yes
	stackSize = 4096             // calls within calls
	ownScript = "sakuli"         // the name of our own JavaScript on the stack
)

//go:embed lift.js
var liftScript string

// A machine runs the JavaScript of one case. It belongs to one goroutine.
type machine struct {
	vm       *sobek.Runtime
	inner    *sobek.Symbol // see hide
	elements *sobek.Object // what elements inherit
	lift     sobek.Callable

	ctx      context.Context //nolint:containedctx // JavaScript that calls back carries none; it ends with the run
	page     *journeys.Page
	suite    *Suite
	scripts  map[string]*source // of the case, by path in the suite
	root     *os.Root
	steps    *recording
	keep     bool // evidence of a failure
	log      *slog.Logger
	patience time.Duration
	waits    bool // see source.waits
	modules  map[string]sobek.Value
	timers   timers
	rejected map[*sobek.Promise]bool // and nobody has taken it up yet
}

// newMachine makes a machine for the case c; ctx is that of its step.
func newMachine(ctx context.Context, r *run, c *testCase, root *os.Root, steps *recording) (*machine, error) {
	m := &machine{
		vm: sobek.New(), inner: sobek.NewSymbol("element"), ctx: ctx, page: r.page, suite: r.suite, scripts: maps.Clone(c.loaded),
		root: root, steps: steps, keep: r.keep != journeys.EvidenceNever, log: r.log, patience: patience, modules: map[string]sobek.Value{}, rejected: map[*sobek.Promise]bool{},
	}
	for _, src := range c.loaded {
		m.waits = m.waits || src.waits
	}
	m.vm.SetMaxCallStackSize(stackSize)
	m.vm.SetPromiseRejectionTracker(func(p *sobek.Promise, op sobek.PromiseRejectionOperation) {
		if op == sobek.PromiseRejectionReject {
			m.rejected[p] = true
			return
		}
		delete(m.rejected, p)
	})
	m.elements = m.vm.NewObject()
	if err := m.loadLift(); err != nil {
		return nil, err
	}
	return m, m.define() //nolint:contextcheck // the machine holds it
}

func (m *machine) loadLift() error {
	v, err := m.vm.RunScript(ownScript, liftScript)
	if err != nil {
		return err
	}
	maker, _ := sobek.AssertFunction(v)
	if v, err = maker(sobek.Undefined(), m.vm.ToValue(m.waits)); err != nil {
		return err
	}
	m.lift, _ = sobek.AssertFunction(v)
	return nil
}

// define gives the JavaScript its words.
func (m *machine) define() error {
	globals := map[string]any{
		"TestCase": m.testCase, "$includeFolder": "", "vars": m.suite.vars,
		"process": m.process(), "console": m.console(), "Logger": m.logger(),
	}
	for name, css := range accessors() {
		globals[name] = m.access(name, css)
	}
	for _, w := range words() {
		f := m.native(w)
		if w.now {
			globals[w.name] = f
			continue
		}
		lifted, err := m.lift(sobek.Undefined(), m.vm.ToValue(f))
		if err != nil {
			return err
		}
		globals[w.name] = lifted
	}
	for name, v := range globals {
		if err := m.vm.Set(name, v); err != nil {
			return err
		}
	}
	return m.defineElements()
}

// native makes a function of the JavaScript out of a word.
func (m *machine) native(w word) func(sobek.FunctionCall) sobek.Value {
	return func(call sobek.FunctionCall) sobek.Value {
		out := w.do(m, args{m, call.Arguments})
		if v, ok := out.(sobek.Value); ok {
			return v
		}
		if out == nil {
			return sobek.Undefined()
		}
		return m.vm.ToValue(out)
	}
}

// run runs the case until nothing of it is left to run. The error of a suite that
// handled its own is nil.
func (m *machine) run(main *source) error {
	_, err := m.vm.RunProgram(main.program)
	for err == nil && m.timers.some() {
		var f func() error
		ctx, cancel := m.bounded()
		if f, err = m.timers.next(ctx); err == nil {
			err = f()
		}
		cancel()
	}
	if err != nil {
		return m.judge(err)
	}
	for p := range m.rejected { // as Node does, one that nobody took up is an error
		return m.thrown(p.Result())
	}
	return nil
}

// judge gives an error of the engine a place and a cause.
func (m *machine) judge(err error) error {
	var (
		ex          *sobek.Exception
		interrupted *sobek.InterruptedError
		overflow    *sobek.StackOverflowError
	)
	switch {
	case errors.As(err, &interrupted):
		return results.Blind(results.CauseStalled, fmt.Errorf("%sthe suite's JavaScript did not end in time, and was here or behind: %w", m.top(interrupted.Stack()), m.ctxErr()))
	case errors.As(err, &overflow):
		return results.Blind(results.CauseInternal, fmt.Errorf("%sthe suite's JavaScript calls itself without end", m.top(overflow.Stack())))
	case errors.As(err, &ex):
		return m.thrownAt(ex.Value(), m.top(ex.Stack()))
	}
	return err
}

// ctxErr is why the suite was interrupted.
func (m *machine) ctxErr() error {
	if err := m.ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	return errors.New("it was interrupted")
}

func (m *machine) thrown(v sobek.Value) error { return m.thrownAt(v, "") }

// thrownAt is what JavaScript threw, as an error. One of ours is what it was; what the
// engine throws by itself is a mistake in the suite, and says nothing of the service;
// what the suite throws is what it came to find.
func (m *machine) thrownAt(v sobek.Value, at string) error {
	o, ok := v.(*sobek.Object)
	if !ok {
		return results.Fault(results.CauseAnswer, errors.New(at+m.page.Mask(v.String())))
	}
	if inner := o.Get("value"); inner != nil {
		if err, ok := inner.Export().(error); ok {
			return err
		}
	}
	if stack := o.Get("stack"); stack != nil {
		if place := m.placeIn(stack.String()); place != "" {
			at = place
		}
	}
	err := errors.New(at + m.page.Mask(o.String()))
	switch name := o.Get("name"); {
	case name != nil && isMistake(name.String()):
		return results.Blind(results.CauseInternal, err)
	}
	return results.Fault(results.CauseAnswer, err)
}

func isMistake(name string) bool {
	switch name {
	case "TypeError", "ReferenceError", "SyntaxError", "RangeError", "URIError", "EvalError":
		return true
	}
	return false
}

// placeIn finds the first place in the suite that a stack names.
func (m *machine) placeIn(stack string) string {
	for line := range strings.Lines(stack) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndexByte(line, '('); i >= 0 && strings.Count(line[i:], ":") < 2 {
			line = line[:i] // the program counter
		}
		line = line[strings.LastIndexAny(line, " (")+1:]
		if name, _, ok := strings.Cut(line, ":"); ok && m.scripts[name] != nil {
			return strings.TrimRight(line, ")") + ": "
		}
	}
	return ""
}

// top is the place in the suite that is nearest to the top of a stack.
func (m *machine) top(stack []sobek.StackFrame) string {
	for i := range stack {
		if name := stack[i].SrcName(); m.scripts[name] != nil {
			at := stack[i].Position()
			return fmt.Sprintf("%s:%d:%d: ", name, at.Line, at.Column)
		}
	}
	return ""
}

// here is the place in the suite that is running.
func (m *machine) here() string { return m.top(m.vm.CaptureCallStack(0, nil)) }

// throw ends what the JavaScript is doing with err.
func (m *machine) throw(err error) {
	e := m.vm.NewGoError(err)
	m.set(e, "name", "Error")
	panic(e)
}

// throwf says that the suite calls something wrongly.
func (m *machine) throwf(format string, args ...any) {
	m.throw(results.Blind(results.CauseInternal, fmt.Errorf(m.here()+format, args...)))
}

// act does one thing on the page, as a step of its own.
func (m *machine) act(name string, do func(ctx context.Context, span *results.Span) error) {
	at, name := m.here(), m.page.Mask(name)
	m.inTime(name)
	err := m.steps.action(name, func(ctx context.Context, span *results.Span) error {
		return m.page.Act(ctx, name, m.patience, func(ctx context.Context) error { return do(ctx, span) })
	})
	if err != nil {
		m.throw(fmt.Errorf("%s%w", at, err))
	}
}

// see asks the page, for at most limit.
func (m *machine) see(name string, limit time.Duration, ask question) (a answer) {
	at, name := m.here(), m.page.Mask(name)
	m.inTime(name)
	err := m.page.Act(m.steps.begin(), name, limit, func(ctx context.Context) (err error) {
		a, err = await(ctx, m.page, ask)
		return err
	})
	if err != nil {
		m.throw(fmt.Errorf("%s%w", at, err))
	}
	return a
}

// inTime ends the suite if the run has no time left for name.
func (m *machine) inTime(name string) {
	if end := m.page.EndsBy(); !end.IsZero() && !time.Now().Before(end) {
		m.throw(results.Fault(results.CauseTimeout, m.told(name+": the time of the check was over")))
	}
}

// bounded is the context of the step under way, as long as the run has time.
func (m *machine) bounded() (context.Context, context.CancelFunc) {
	ctx := m.steps.begin()
	if end := m.page.EndsBy(); !end.IsZero() {
		return context.WithDeadline(ctx, end)
	}
	return context.WithCancel(ctx)
}

// folder is the path of the directory of the file that is running.
func (m *machine) folder() string {
	for _, f := range m.vm.CaptureCallStack(0, nil) {
		if m.scripts[f.SrcName()] != nil {
			return path.Dir(f.SrcName())
		}
	}
	return "."
}
