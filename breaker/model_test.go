package breaker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

// A model is the breaker said simply: it keeps every call and counts anew each time.
type model struct {
	breaker.Settings
	born  time.Time
	state breaker.State
	until time.Time

	era       int // of the state; results of earlier ones count for nothing
	row       int // failures in a row
	opened    int // in a row
	successes int
	spent     int // probes of this half-open state
	calls     []modelCall
	pending   []*pendingCall
}

type modelCall struct {
	at           time.Time
	failed, slow bool
}

type pendingCall struct {
	era   int
	probe bool
	dies  time.Time // when it is counted as lost; zero never
	over  bool      // it has been counted
	begun time.Time
	done  func(error)
}

func (m *model) enter(s breaker.State) {
	m.state, m.era, m.row, m.successes, m.spent, m.calls = s, m.era+1, 0, 0, 0, nil
	switch s {
	case breaker.Open:
		d := m.OpenFor
		for range m.opened {
			d = min(time.Duration(float64(d)*m.OpenFactor), m.OpenMax)
		}
		m.opened++
		m.until = time.Now().Add(d)
	case breaker.Closed:
		m.opened = 0
	case breaker.HalfOpen:
	}
}

// admit returns nil if the call may not be made.
func (m *model) admit() *pendingCall {
	if m.state == breaker.Open {
		if time.Now().Before(m.until) {
			return nil
		}
		m.enter(breaker.HalfOpen)
	}
	p := &pendingCall{era: m.era, begun: time.Now()}
	if m.state == breaker.HalfOpen {
		atOnce := 0
		for _, o := range m.pending {
			if o.probe && !o.over {
				atOnce++
			}
		}
		if atOnce >= m.HalfOpenCalls || m.spent >= m.HalfOpenSuccesses {
			return nil
		}
		m.spent++
		p.probe, p.dies = true, time.Now().Add(m.ProbeTimeout)
	}
	return p
}

func (m *model) end(p *pendingCall, o breaker.Outcome, slow bool) {
	if p.over {
		return
	}
	p.over = true
	switch {
	case p.era != m.era:
	case o == breaker.Abandoned:
		m.spent--
	case m.state == breaker.HalfOpen && (o == breaker.Failure || slow):
		m.enter(breaker.Open)
	case m.state == breaker.HalfOpen:
		if m.successes++; m.successes == m.HalfOpenSuccesses {
			m.enter(breaker.Closed)
		}
	default:
		m.calls = append(m.calls, modelCall{time.Now(), o == breaker.Failure, slow})
		if m.row++; o == breaker.Success {
			m.row = 0
		}
		if m.trips() {
			m.enter(breaker.Open)
		}
	}
}

func (m *model) window() (calls, failures, slow int) {
	for i, c := range m.calls {
		if m.MinCalls == 0 {
			break
		}
		if m.WindowCalls > 0 && len(m.calls)-i > m.WindowCalls {
			continue
		}
		part := func(t time.Time) int64 { return int64(t.Sub(m.born) / (m.Window / 32)) }
		if m.WindowCalls == 0 && part(time.Now())-part(c.at) > 32 {
			continue
		}
		calls++
		if c.failed {
			failures++
		}
		if c.slow {
			slow++
		}
	}
	return calls, failures, slow
}

func (m *model) trips() bool {
	if m.Failures > 0 && m.row >= m.Failures {
		return true
	}
	if m.MinCalls == 0 {
		return false
	}
	calls, failures, slow := m.window()
	return calls >= m.MinCalls &&
		(m.FailureRate > 0 && failures*1000 >= int(m.FailureRate*1000+0.5)*calls ||
			m.SlowRate > 0 && slow*1000 >= int(m.SlowRate*1000+0.5)*calls)
}

// expire counts the probes whose time is over, in order.
func (m *model) expire() {
	for _, p := range m.pending {
		if !p.over && !p.dies.IsZero() && !time.Now().Before(p.dies) {
			m.end(p, breaker.Failure, false)
		}
	}
}

// nextLoss returns when expire has something to do next.
func (m *model) nextLoss() time.Duration {
	next := time.Hour
	for _, p := range m.pending {
		if !p.over && !p.dies.IsZero() {
			next = min(next, time.Until(p.dies))
		}
	}
	return next
}

// With every default spelled out, for the model has none.
var modelSettings = []breaker.Settings{
	{Failures: 3, OpenFor: time.Second, OpenFactor: 1, OpenMax: time.Second, HalfOpenCalls: 1, HalfOpenSuccesses: 1, ProbeTimeout: time.Second},
	{Failures: 2, OpenFor: time.Second, OpenFactor: 2, OpenMax: 3 * time.Second, HalfOpenCalls: 2, HalfOpenSuccesses: 3, ProbeTimeout: 4 * time.Second},
	{FailureRate: 0.3, MinCalls: 10, WindowCalls: 10, OpenFor: time.Second, OpenFactor: 1, OpenMax: time.Second, HalfOpenCalls: 2, HalfOpenSuccesses: 2, ProbeTimeout: time.Second},
	{FailureRate: 0.5, MinCalls: 4, Window: 3200 * time.Millisecond, OpenFor: 2 * time.Second, OpenFactor: 1.5, OpenMax: 4 * time.Second, HalfOpenCalls: 1, HalfOpenSuccesses: 2, ProbeTimeout: time.Second},
	{SlowCall: 50 * time.Millisecond, SlowRate: 0.4, MinCalls: 5, WindowCalls: 8, OpenFor: time.Second, OpenFactor: 1, OpenMax: time.Second, HalfOpenCalls: 3, HalfOpenSuccesses: 3, ProbeTimeout: time.Second},
	{Failures: 4, FailureRate: 0.6, SlowCall: 50 * time.Millisecond, SlowRate: 1, MinCalls: 3, Window: 640 * time.Millisecond, OpenFor: time.Second, OpenFactor: 1, OpenMax: time.Second, HalfOpenCalls: 1, HalfOpenSuccesses: 1, ProbeTimeout: 500 * time.Millisecond},
}

// play does to a breaker and to the model what ops say, and compares them after each.
func play(t *testing.T, s breaker.Settings, ops []byte) {
	t.Helper()
	b := newBreaker(t, s)
	m := &model{Settings: s, born: time.Now(), state: breaker.Closed}
	begin := func(ctx context.Context, i int) *pendingCall {
		p := m.admit()
		_, done, err := b.Allow(ctx)
		if (err == nil) != (p != nil) {
			t.Fatalf("op %d of %v: let through: got %v, the model %v", i, ops, err, p != nil)
		}
		if open, ok := errors.AsType[*breaker.OpenError](err); ok && m.state == breaker.Open && !open.Until.Equal(m.until) {
			t.Fatalf("op %d of %v: open until %v, the model %v", i, ops, open.Until, m.until)
		}
		if p != nil {
			p.done = done
			m.pending = append(m.pending, p)
		}
		return p
	}
	end := func(p *pendingCall, o breaker.Outcome, err error) {
		if p != nil {
			m.end(p, o, s.SlowCall > 0 && time.Since(p.begun) > s.SlowCall)
			p.done(err)
		}
	}
	wait := func(d time.Duration) {
		for until := time.Now().Add(d); time.Now().Before(until); m.expire() {
			time.Sleep(min(time.Until(until), m.nextLoss()))
			synctest.Wait()
		}
	}
	for i, op := range ops {
		switch op % 10 {
		case 0, 1:
			end(begin(t.Context(), i), breaker.Success, nil)
		case 2:
			end(begin(t.Context(), i), breaker.Failure, errDown)
		case 3: // slowly
			p := begin(t.Context(), i)
			wait(60 * time.Millisecond)
			end(p, breaker.Success, nil)
		case 4:
			ctx, cancel := context.WithCancel(t.Context())
			p := begin(ctx, i)
			cancel()
			end(p, breaker.Abandoned, context.Canceled)
		case 5:
			wait(time.Duration(op) * 10 * time.Millisecond)
		case 6:
			begin(t.Context(), i)
		case 7, 8: // one of those under way, the oldest or the newest
			if n := len(m.pending); n > 0 {
				p := m.pending[int(op/10)%2*(n-1)]
				if op%10 == 7 {
					end(p, breaker.Success, nil)
				} else {
					end(p, breaker.Failure, errDown)
				}
			}
		case 9:
			wait(20 * time.Millisecond)
		}
		got := b.Snapshot()
		if got.State != m.state {
			t.Fatalf("op %d of %v: got %v (%v), the model %v", i, ops, got.State, got.Transitions, m.state)
		}
		if calls, failures, slow := m.window(); got.Window != nil && *got.Window != (breaker.Window{Calls: calls, Failures: failures, Slow: slow}) {
			t.Fatalf("op %d of %v: window: got %+v, the model %d, %d, %d", i, ops, *got.Window, calls, failures, slow)
		}
	}
	for _, p := range m.pending {
		p.done(nil)
	}
	if n := b.Snapshot().InFlight; n != 0 {
		t.Fatalf("ops %v: %d in flight at the end, want 0", ops, n)
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	for i, s := range modelSettings {
		for seed := range uint64(60) {
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			ops := make([]byte, 200)
			for j := range ops {
				ops[j] = byte(rnd.IntN(256))
			}
			synctest.Test(t, func(t *testing.T) { play(t, s, ops) })
		}
	}
}

func FuzzModel(f *testing.F) {
	for i := range modelSettings {
		f.Add(uint8(i), []byte{2, 2, 2, 2, 105, 6, 7, 0, 3, 3, 3, 3, 3, 105, 6, 105, 4, 8})
	}
	f.Fuzz(func(t *testing.T, which uint8, ops []byte) {
		s := modelSettings[int(which)%len(modelSettings)]
		synctest.Test(t, func(t *testing.T) { play(t, s, ops[:min(len(ops), 500)]) })
	})
}
