package lab

import (
	"context"
	"sync"
	"time"
)

// The states of a model, in the words of its metrics.
const (
	closed   = "closed"
	open     = "open"
	halfOpen = "half_open"
)

// A model is a plain breaker, right as it stands. Its flaw makes it wrong.
type model struct {
	Service
	flaw flaw

	mu      sync.Mutex
	state   string
	until   time.Time // of the open state
	row     int       // failures in a row while closed
	window  window
	seen    int // calls that ended
	probes  int // under way while half open
	good    int // probes that succeeded
	reopens int // in a row
}

func newModel(s Service) *model { return newFlawed(s, flaw{}) }

func newFlawed(s Service, f flaw) *model {
	if f.threshold > 0 {
		s.Failures = f.threshold
	}
	if f.admits > 0 {
		s.HalfOpenCalls = f.admits
	}
	if f.slowAt > 0 {
		s.SlowCallMS = int(float64(s.SlowCallMS) * f.slowAt)
	}
	if f.keeps {
		s.WindowMS = never
	}
	return &model{Service: s, flaw: f, state: closed, window: window{
		span: ms(s.WindowMS), most: s.WindowCalls, tumbles: f.tumbles,
	}}
}

func (m *model) gate() gate { return gate{m.do, m.says} }

func (m *model) do(ctx context.Context, fn func(context.Context) error) error {
	if !m.admit(time.Now()) {
		return errRejected
	}
	began := time.Now()
	err := fn(ctx)
	m.ended(time.Now(), err, time.Since(began))
	return err
}

// admit says whether a call goes through. The open time over, it is half open.
func (m *model) admit(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state == open && !m.flaw.stays && now.After(m.until) {
		m.state, m.probes, m.good = halfOpen, 0, 0
		if m.flaw.unproven {
			m.close()
		}
	}
	switch m.state {
	case open:
		return false
	case halfOpen:
		if m.probes >= m.HalfOpenCalls {
			return false
		}
		m.probes++
	}
	return true
}

func (m *model) ended(now time.Time, err error, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen++
	slow := m.SlowCallMS > 0 && took > ms(m.SlowCallMS) && !m.flaw.patient
	failed := err != nil && (m.flaw.deaf == nil || !m.flaw.deaf(err))
	switch m.state {
	case halfOpen:
		m.probed(now, failed || slow)
	case closed:
		m.count(now, failed, slow)
	}
}

func (m *model) probed(now time.Time, failed bool) {
	switch {
	case failed && m.flaw.loses: // and the probe is under way for ever
	case failed && m.flaw.forgets:
		m.close()
	case failed:
		m.reopens++
		m.trip(now)
	default:
		m.probes--
		if m.good++; m.good >= m.HalfOpenSuccesses || m.flaw.hasty {
			m.close()
		}
	}
}

func (m *model) count(now time.Time, failed, slow bool) {
	if failed || slow && m.Rate == 0 {
		m.row++
	} else if !m.flaw.sums {
		m.row = 0
	}
	trips := m.row >= m.Failures
	if m.Rate == 0 && m.WindowMS > 0 {
		m.window.add(now, failed, slow)
		trips = m.window.failed() >= m.Failures
	}
	if m.Rate > 0 {
		m.window.add(now, failed, slow)
		trips = m.window.exceeds(m.MinCalls, m.Rate)
	}
	if trips && m.seen >= m.flaw.warmUp {
		m.trip(now)
	}
}

func (m *model) trip(now time.Time) {
	openFor := ms(m.OpenMS)
	if m.flaw.opens != nil {
		openFor = m.flaw.opens(openFor, m.reopens)
	}
	m.state, m.until = open, now.Add(openFor)
}

func (m *model) close() {
	m.state, m.row, m.reopens = closed, 0, 0
	m.window.calls = nil
}

func (m *model) says() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flaw.tells != "" {
		return m.flaw.tells
	}
	return m.state
}

// A window holds the last calls, by time or by number.
type window struct {
	span    time.Duration
	most    int
	tumbles bool // begins anew when its time is over
	began   time.Time
	calls   []ended
}

type ended struct {
	at           time.Time
	failed, slow bool
}

func (w *window) add(now time.Time, failed, slow bool) {
	w.calls = append(w.calls, ended{now, failed, slow})
	if w.most > 0 && len(w.calls) > w.most {
		w.calls = w.calls[1:]
	}
	if w.span == 0 {
		return
	}
	if w.tumbles {
		if now.Sub(w.began) > w.span {
			w.began, w.calls = now, w.calls[len(w.calls)-1:]
		}
		return
	}
	for len(w.calls) > 0 && now.Sub(w.calls[0].at) > w.span {
		w.calls = w.calls[1:]
	}
}

// failed is how many of its calls failed.
func (w *window) failed() (n int) {
	for _, c := range w.calls {
		if c.failed {
			n++
		}
	}
	return n
}

// exceeds says whether, of at least so many calls, the share of failed or of slow ones
// is at the rate or above.
func (w *window) exceeds(least int, rate float64) bool {
	failed, slow := 0, 0
	for _, c := range w.calls {
		if c.failed {
			failed++
		}
		if c.slow {
			slow++
		}
	}
	n := len(w.calls)
	return n > 0 && n >= least && float64(max(failed, slow))/float64(n) >= rate
}
