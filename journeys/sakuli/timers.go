package sakuli

import (
	"context"
	"slices"
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
	t.list = slices.Insert(t.list, i, n)
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

func setTimeout(m *machine, a args) any {
	m.steps.begin()
	f, d := m.timed(a)
	return m.timers.add(time.Now().Add(d), f)
}

func setInterval(m *machine, a args) any {
	m.steps.begin()
	f, d := m.timed(a)
	d = max(d, time.Millisecond)
	var id int64
	var again func() error
	again = func() error {
		m.timers.insert(timer{id, time.Now().Add(d), again})
		return f()
	}
	id = m.timers.add(time.Now().Add(d), again)
	return id
}

func (m *machine) timed(a args) (func() error, time.Duration) {
	f, ok := sobek.AssertFunction(a.at(0))
	if !ok {
		m.throwf("got %s, want a function to call later", written(a.at(0)))
	}
	rest := a.list[min(2, len(a.list)):]
	return func() error {
		_, err := f(sobek.Undefined(), rest...)
		return err
	}, a.milliseconds(1, 0)
}

func clearTimer(m *machine, a args) any {
	id := int64(a.number(0))
	m.timers.list = slices.DeleteFunc(m.timers.list, func(t timer) bool { return t.id == id })
	return nil
}
