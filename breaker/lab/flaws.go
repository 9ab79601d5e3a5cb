package lab

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"time"
)

// A flaw is the one thing that is wrong with a model; the zero flaw is none.
type flaw struct {
	threshold int                                                    // failures, instead of the declared ones
	admits    int                                                    // calls while half open, instead of the declared ones
	warmUp    int                                                    // calls before which it never opens
	opens     func(openFor time.Duration, reopens int) time.Duration // for how long
	deaf      func(error) bool                                       // to failures such as this
	stays     bool                                                   // open for ever
	unproven  bool                                                   // closes when its time is over, without a probe
	forgets   bool                                                   // closes when a probe fails
	loses     bool                                                   // never hears of a probe that failed
	sums      bool                                                   // a success does not end a row of failures
	hasty     bool                                                   // closes at the first success
	slowAt    float64                                                // of the declared time, from when on a call is slow; 0: as declared
	keeps     bool                                                   // failures for ever, in a window that never ends
	tumbles   bool                                                   // counts in windows that begin anew
	patient   bool                                                   // slow calls are as good as any
	tells     string                                                 // the state that it shows, whatever it is in
	around    func(ctx context.Context, s Service, m *model) gate    // what stands around it
	threads   int                                                    // as many breakers, taken in turn
}

func (f flaw) builder() builder {
	return func(ctx context.Context, s Service) ([]gate, error) {
		var gs []gate
		for range s.Dependencies {
			switch {
			case f.threads > 0:
				gs = append(gs, threads(s, f.threads))
			case f.around != nil:
				gs = append(gs, f.around(ctx, s, newFlawed(s, f)))
			default:
				gs = append(gs, newFlawed(s, f).gate())
			}
		}
		return gs, nil
	}
}

const never = math.MaxInt32

// flaws are the wrong breakers in Go, by the word that a Service has for them. Two are
// right where their owner declares what they do: doubles and varies.
func flaws() map[string]flaw {
	return map[string]flaw{
		"never-opens":        {threshold: never},
		"opens-early":        {threshold: 4},
		"opens-at-once":      {threshold: 1},
		"opens-late":         {threshold: 6},
		"opens-at-twice":     {threshold: 10},
		"warms-up":           {warmUp: 60},
		"counts-sums":        {sums: true},
		"per-thread":         {threads: 4},
		"deaf-to-timeouts":   {deaf: timeout},
		"deaf-to-refusals":   {deaf: func(err error) bool { return !timeout(err) }},
		"short-open":         {opens: func(d time.Duration, _ int) time.Duration { return d / 2 }},
		"jittery-open":       {opens: func(d time.Duration, _ int) time.Duration { return d/4 + rand.N(d/2) }}, //nolint:gosec // jitter
		"long-open":          {opens: func(d time.Duration, _ int) time.Duration { return 15 * d }},
		"backs-off":          {opens: func(d time.Duration, reopens int) time.Duration { return d * time.Duration(1+8*reopens) }},
		"doubles":            {opens: func(d time.Duration, reopens int) time.Duration { return d << reopens }},
		"varies":             {opens: func(d time.Duration, _ int) time.Duration { return d*3/4 + rand.N(d/2) }}, //nolint:gosec // jitter
		"never-closes":       {stays: true},
		"half-open-herd":     {admits: never},
		"half-open-extra":    {admits: 3},
		"closes-by-timer":    {unproven: true},
		"forgets-to-reopen":  {forgets: true},
		"loses-probe":        {loses: true},
		"closes-early":       {hasty: true},
		"tumbling-window":    {tumbles: true},
		"never-forgets":      {keeps: true},
		"slow-from-twice":    {slowAt: 2},
		"slow-from-half":     {slowAt: 0.5},
		"blind-to-slow":      {patient: true},
		"gauge-says-closed":  {tells: closed},
		"gauge-says-open":    {tells: open},
		"leaks-tenth":        {around: leak(10)},
		"leaks-thirtieth":    {around: leak(30)},
		"slow-rejection":     {around: late(1, 200*time.Millisecond)},
		"waits-to-reject":    {around: late(1, 300*time.Millisecond)},
		"slow-tenth":         {around: late(10, 150*time.Millisecond)},
		"knocks-while-open":  {around: knocking},
		"retries-behind":     {around: behind},
		"releases-the-queue": {around: queueing},
	}
}

func timeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// shared is one breaker for all dependencies.
func shared(_ context.Context, s Service) ([]gate, error) {
	m := newModel(s)
	var gs []gate
	for range s.Dependencies {
		gs = append(gs, m.gate())
	}
	return gs, nil
}
