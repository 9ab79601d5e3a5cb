package sakuli

import (
	"context"
	"time"

	"github.com/grafana/sobek"

	"github.com/foreshock/foreshock/results"
)

// timers are what setTimeout and setInterval have put off.
type timers struct {
	last int64
	list []timer // the earliest first
}

type timer struct {
	id   int64
	at   time.Time
	call func() error
}

func (t *timers) some() bool { return len(t.list) > 0 }

func (t *timers) add(at time.Time, call func() error) int64 {
	t.last++
	t.insert(timer{t.last, at, call})
	return t.last
}

func (t *timers) insert(n timer) {
	i := len(t.list)
	for i > 0 && t.list[i-1].at.After(n.at) {
		i--
	}
	t.list = append(t.list[:i], append([]timer{n}, t.list[i:]...)...)
}

// next waits for the earliest and returns what it calls.
func (t *timers) next(ctx context.Context) (func() error, error) {
	n := t.list[0]
	t.list = t.list[1:]
	if err := sleep(ctx, time.Until(n.at)); err != nil {
		return nil, results.Blind(results.CauseStalled, errTimer)
	}
	return n.call, nil
}

func (m *machine) setTimeout(call sobek.FunctionCall) sobek.Value {
	m.steps.begin()
	f, d := m.timed(call)
	return m.vm.ToValue(m.timers.add(time.Now().Add(d), f))
}

func (m *machine) setInterval(call sobek.FunctionCall) sobek.Value {
	m.steps.begin()
	f, d := m.timed(call)
	d = max(d, time.Millisecond)
	var id int64
	var again func() error
	again = func() error {
		m.timers.insert(timer{id, time.Now().Add(d), again})
		return f()
	}
	id = m.timers.add(time.Now().Add(d), again)
	return m.vm.ToValue(id)
}

func (m *machine) timed(call sobek.FunctionCall) (func() error, time.Duration) {
	f, ok := sobek.AssertFunction(call.Argument(0))
	if !ok {
		m.throwf("got %s, want a function to call later", written(call.Argument(0)))
	}
	var rest []sobek.Value
	if len(call.Arguments) > 2 {
		rest = call.Arguments[2:]
	}
	ms := max(call.Argument(1).ToInteger(), 0)
	return func() error {
		_, err := f(sobek.Undefined(), rest...)
		return err
	}, time.Duration(ms) * time.Millisecond
}

func (m *machine) clearTimer(id int64) {
	for i, t := range m.timers.list {
		if t.id == id {
			m.timers.list = append(m.timers.list[:i:i], m.timers.list[i+1:]...)
			return
		}
	}
}
