package faults

import (
	"context"
	"fmt"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/pause"
)

// pauseWord is the name of the kind.
const pauseWord = "pause"

// paused are processes that stand still: their connections stay open, the kernel goes
// on taking new ones for them, and nobody answers.
type paused struct{ Processes }

func pauseKind() kind.Kind[Fault] {
	return kind.Of(pauseWord, "processes stand still: connections stay open and nobody answers", `
pid: 4711
tree: true
`, Processes{}, func(s Processes) (Fault, error) { return paused{s}, s.check() })
}

func (paused) Kind() string       { return pauseWord }
func (paused) irreversible() bool { return false }

// begin implements onProcesses. The lease is the owner's life.
func (p paused) begin(ctx context.Context, o Options) (Injection, error) { //nolint:ireturn // as Install
	held, err := pause.Open(ctx, p.selector(), pause.Options{
		Run: o.Run, Name: o.Name, Location: o.Location, Until: o.Until, OwnChildren: p.Children,
	})
	if err != nil {
		return nil, err
	}
	return &pausing{pause: held}, nil
}

// pausing is an installed pause.
type pausing struct {
	noAttempts
	pause *pause.Pause
}

// Arm implements [Injection].
func (p *pausing) Arm(ctx context.Context) error { return p.pause.Arm(ctx) }

// Disarm implements [Injection].
func (p *pausing) Disarm(ctx context.Context) error { return p.pause.Disarm(ctx) }

// Close implements [Injection].
func (p *pausing) Close(ctx context.Context) error { return p.pause.Close(ctx) }

// Evidence implements [Injection]. Its packets are the threads that were stopped, all
// times together: if there were none, the fault did not bite.
func (p *pausing) Evidence(context.Context) (Evidence, error) {
	saw := p.pause.Evidence()
	e := Evidence{Kind: pauseWord, To: saw.Target, Unit: unitThreads}
	for _, held := range saw.Processes {
		e.Resolved = append(e.Resolved, held.String())
		e.Rules = append(e.Rules, fmt.Sprintf("ptrace seize %d: %d threads", held.PID, held.Threads))
	}
	if len(saw.Processes) == 0 {
		e.Resolved, e.Rules = []string{saw.Target}, []string{"ptrace seize: no thread yet"}
	}
	for n, s := range saw.Spans {
		if n == 0 {
			e.FirstHit = s.Full
		}
		e.Packets += uint64(s.Threads) //nolint:gosec // a count
		e.Spans = append(e.Spans, Span{From: s.From, To: s.To, By: healedBy(s.By)})
		e.HealedBy = healedBy(s.By)
		switch s.By {
		case pause.ByEnd:
			e.Tampered = "the processes ended while they were paused"
		case pause.ByOther:
			e.Tampered = "another process let them run on"
		}
	}
	if len(saw.Escaped) > 0 {
		e.Tampered = strings.Join(saw.Escaped, "; ")
	}
	return e, nil
}

func healedBy(by string) string {
	switch by {
	case pause.ByOwner:
		return HealedByOwner
	case pause.ByLimit:
		return HealedByLimit
	case pause.ByOther, pause.ByEnd:
		return HealedByOther
	}
	return ""
}

// pauses lists those whose owners live in the namespace; a dead one's do not exist.
func (p *place) pauses(ctx context.Context) (found []Active, err error) {
	list, err := learn(ctx, p.space, func() ([]pause.Active, error) { return pause.List(ctx) })
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		active := Active{
			Chain: a.Door, Run: a.Run, Name: a.Name, Location: a.Location, Kind: pauseWord, To: a.Target,
			Since: a.Since, Until: a.Until, Owned: true, Armed: a.Armed, Silent: a.Silent,
		}
		for _, held := range a.Processes {
			active.Packets += uint64(held.Threads) //nolint:gosec // a count
		}
		found = append(found, active)
	}
	return found, nil
}

// resume ends a pause of another process.
func (p *place) resume(ctx context.Context, door string) error {
	return p.space.do(ctx, func() error {
		_, err := pause.Heal(ctx, door)
		return err
	})
}
