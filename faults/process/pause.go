package process

import (
	"context"
	"fmt"
	"strings"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/pause"
)

// paused are processes that stand still: their connections stay open, the kernel goes
// on taking new ones for them, and nobody answers.
type paused struct {
	selector pause.Selector
	children bool
}

func pauseKind() kind.Kind[Fault] {
	type settings struct {
		PID       int    `yaml:"pid"`
		Container string `yaml:"container"`
		Tree      bool   `yaml:"tree"`
		Children  bool   `yaml:"own_children"`
	}
	return kind.Of("pause", "processes stand still: connections stay open and nobody answers", `
pid: 4711
tree: true
`, settings{}, func(s settings) (Fault, error) {
		sel, err := selector(s.PID, s.Container, s.Tree)
		return paused{sel, s.Children}, err
	})
}

func (p paused) Kind() string       { return "pause" }
func (p paused) Target() string     { return p.selector.String() }
func (p paused) Irreversible() bool { return false }

// Install implements [Fault].
func (p paused) Install(ctx context.Context, o faults.Options) (faults.Injection, error) { //nolint:ireturn // as every installation
	held, err := pause.Open(ctx, p.selector, pause.Options{
		Run: o.Run, Name: o.Name, Location: o.Location, Until: o.Until, OwnChildren: p.children,
	})
	if err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	return &pausing{pause: held}, nil
}

// pausing is an installed pause. Its lease is the life of its owner.
type pausing struct {
	noAttempts
	pause *pause.Pause
}

// Arm implements [faults.Injection].
func (p *pausing) Arm(ctx context.Context) error { return p.pause.Arm(ctx) }

// Disarm implements [faults.Injection].
func (p *pausing) Disarm(ctx context.Context) error { return p.pause.Disarm(ctx) }

// Close implements [faults.Injection].
func (p *pausing) Close(ctx context.Context) error { return p.pause.Close(ctx) }

// Evidence implements [faults.Injection]. Its packets are the threads that were
// stopped, all times together: if there were none, the fault did not bite.
func (p *pausing) Evidence(context.Context) (faults.Evidence, error) {
	saw := p.pause.Evidence()
	e := faults.Evidence{Kind: "pause", To: saw.Target}
	for _, held := range saw.Processes {
		e.Resolved = append(e.Resolved, fmt.Sprintf("pid %d (%s)", held.PID, held.Name))
		e.Rules = append(e.Rules, fmt.Sprintf("ptrace seize %d: %d threads", held.PID, held.Threads))
	}
	for n, s := range saw.Spans {
		if n == 0 {
			e.FirstHit = s.From
		}
		by := healedBy(s.By)
		e.Packets += uint64(s.Threads) //nolint:gosec // a count
		e.Spans = append(e.Spans, faults.Span{From: s.Full, To: s.To, By: by})
		e.HealedBy = by
		if s.By == pause.ByEnd {
			e.Tampered = "the processes ended while they were paused"
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
		return faults.HealedByOwner
	case pause.ByLimit:
		return faults.HealedByLimit
	case pause.ByOther, pause.ByEnd:
		return faults.HealedByOther
	}
	return ""
}
