// Package process has the faults that act on processes and not on packets: a pause,
// which the kernel ends by itself when its owner dies, and a kill, which nothing ends.
// What they install is a [faults.Injection] like any other. It must never touch a rule
// of the network, nor a process that its settings do not name.
package process

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/pause"
)

// A Fault is one thing that can be done to processes. It holds no state, so that one
// value may be installed any number of times.
type Fault interface {
	// Kind is the name of the fault's kind, such as pause.
	Kind() string
	// Target says which processes, in the words of a report.
	Target() string
	// Irreversible says that nothing heals it: not Disarm, not the owner's death.
	Irreversible() bool
	// Install finds and pins the processes and touches none of them. On an error
	// nothing is left behind.
	Install(ctx context.Context, o faults.Options) (faults.Injection, error)
}

// Kinds lists every kind of process fault.
func Kinds() kind.Table[Fault] { return kind.Table[Fault]{pauseKind(), killKind()} }

// selector checks the settings that every kind has.
func selector(pid int, container string, tree bool) (pause.Selector, error) {
	s := pause.Selector{PID: pid, Container: container, Tree: tree}
	if err := s.Check(); err != nil {
		key := "pid"
		if container != "" {
			key = "container"
		}
		return s, kind.At(key, err)
	}
	if pid > math.MaxInt32 {
		return s, kind.At("pid", fmt.Errorf("got %d, want a process number", pid))
	}
	return s, nil
}

// noAttempts implements the part of [faults.Injection] that packets alone have.
type noAttempts struct{}

// Attempts says that there are none: a process that does not run refuses nobody.
func (noAttempts) Attempts(ctx context.Context, skip int) ([]faults.Attempt, error) {
	if skip < 0 {
		return nil, errors.New("attempts: got a negative skip, want 0 or more")
	}
	return nil, ctx.Err()
}
