package scenarios_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

// A machine is a breaker with three states that can be made wrong.
type machine struct {
	herd    bool          // lets everybody through while half open
	forgets bool          // stays half open when its probe has failed
	stuck   bool          // never hears of a probe whose caller left, or that got no answer
	total   bool          // counts all failures, whatever came between
	window  time.Duration // counts failures in it, whatever came between; 0: in a row
	edges   bool          // its window begins anew at fixed times
	slow    time.Duration // a longer success counts as a failure

	mu       sync.Mutex
	failures int
	times    []time.Time // of failures in the window
	began    time.Time   // of a window with edges
	opened   time.Time   // zero while closed
	probing  int
}

func (m *machine) Do(ctx context.Context, fn func(context.Context) error) error {
	probe, err := m.admit()
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	began := time.Now()
	err = fn(within)
	if err == nil && m.slow > 0 && time.Since(began) > m.slow {
		m.done(probe, errSlow)
		return nil
	}
	if probe && m.stuck && within.Err() != nil {
		return err
	}
	m.done(probe, err)
	return err
}

func (m *machine) admit() (probe bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.opened.IsZero():
		return false, nil
	case time.Since(m.opened) < openFor, m.probing > 0 && !m.herd:
		return false, breaker.ErrOpen
	}
	m.probing++
	return true, nil
}

func (m *machine) done(probe bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if probe {
		m.probing--
	}
	switch {
	case err == nil && probe:
		m.opened, m.failures, m.times = time.Time{}, 0, nil
	case err == nil:
		if !m.total {
			m.failures = 0
		}
	case probe && m.forgets:
	case probe:
		m.opened = time.Now()
	default:
		if m.failures++; m.count() >= failures {
			m.opened = time.Now()
		}
	}
}

// count is how many failures count now, the last one included.
func (m *machine) count() int {
	if m.window == 0 {
		return m.failures
	}
	now := time.Now()
	m.times = append(m.times, now)
	if m.edges && now.Sub(m.began) > m.window {
		m.began, m.times = now.Truncate(m.window), m.times[len(m.times)-1:]
	}
	if !m.edges {
		m.times = slices.DeleteFunc(m.times, func(t time.Time) bool { return now.Sub(t) > m.window })
	}
	return len(m.times)
}

var errSlow = errors.New("slow")

// again tries twice where once is declared.
type again struct{ gate }

func (a again) Do(ctx context.Context, fn func(context.Context) error) error {
	return a.gate.Do(ctx, func(ctx context.Context) error {
		half, cancel := context.WithTimeout(ctx, callTimeout/2)
		defer cancel()
		if err := fn(half); err == nil || errors.Is(err, context.Canceled) {
			return err
		}
		return fn(ctx)
	})
}
