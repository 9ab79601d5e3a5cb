package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/pause"
)

// endLimit is how long a process may take to end of its signal.
const endLimit = 10 * time.Second

// killed are processes that end.
type killed struct {
	Processes
	signal syscall.Signal
	limit  time.Duration
}

func killKind() kind.Kind[Fault] {
	type settings struct {
		Processes
		Signal       string        `yaml:"signal"`
		Within       time.Duration `yaml:"ends_within"`
		Irreversible bool          `yaml:"irreversible"` // accepts that it is
	}
	return kind.Of("kill", "processes end; irreversible: nothing brings them back but whoever supervises them", `
pid: 4711
signal: TERM
ends_within: 10s
irreversible: true
`, settings{Signal: "KILL", Within: endLimit}, func(s settings) (Fault, error) {
		if err := s.check(); err != nil {
			return nil, err
		}
		words := []string{"KILL", "TERM", "INT", "QUIT", "HUP", "ABRT", "SEGV"}
		numbers := []syscall.Signal{
			syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT,
			syscall.SIGHUP, syscall.SIGABRT, syscall.SIGSEGV,
		}
		at := slices.Index(words, s.Signal)
		switch {
		case at < 0:
			return nil, kind.At("signal", errors.New(kind.UnknownWord("signal", s.Signal, words)))
		case s.Within <= 0:
			return nil, kind.At("ends_within", fmt.Errorf("got %v, want more than 0", s.Within))
		case !s.Irreversible:
			return nil, kind.At("irreversible", errors.New("got false, want true: no lease ends a kill and nothing heals it, so whoever asks for one says that they know"))
		}
		return killed{s.Processes, numbers[at], s.Within}, nil
	})
}

func (killed) Kind() string       { return "kill" }
func (killed) irreversible() bool { return true }

// begin implements onProcesses. The processes are pinned now and named by number, or by
// the container's id, when it is armed.
func (k killed) begin(ctx context.Context, o Options) (Injection, error) { //nolint:ireturn // as Install
	aimed, err := k.aim(ctx)
	if err != nil {
		return nil, fmt.Errorf("kill %s: %w", k.selector(), err)
	}
	return &killing{kill: k, aim: aimed, until: o.Until}, nil
}

// killing is an installed kill. Armed once, it is spent.
type killing struct {
	noAttempts
	kill  killed
	aim   *pause.Aimed
	until time.Time

	mu     sync.Mutex
	killed []pause.Killed
	spent  bool
	closed bool
}

// Arm implements [Injection]: it sends the signal and waits for the end of the
// processes. It cannot be taken back, and a second time is no second signal.
func (k *killing) Arm(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.closed:
		return fmt.Errorf("kill %s: %w", k.kill.selector(), ErrClosed)
	case k.spent:
		return nil
	case !time.Now().Before(k.until):
		return fmt.Errorf("kill %s: its hard end %s has passed", k.kill.selector(), k.until.Format(time.RFC3339))
	}
	ctx, cancel := context.WithTimeout(ctx, k.kill.limit)
	defer cancel()
	var err error
	k.killed, err = k.aim.Kill(ctx, k.kill.signal)
	k.spent = len(k.killed) > 0
	return err
}

// Disarm does nothing: what was killed stays so.
func (k *killing) Disarm(context.Context) error { return nil }

// Close implements [Injection].
func (k *killing) Close(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.closed = true
		k.aim.Close()
	}
	return nil
}

// Evidence implements [Injection]. Its packets are the processes that have
// ended; healed by is empty, because nothing was.
func (k *killing) Evidence(context.Context) (Evidence, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := Evidence{Kind: "kill", To: k.aim.String(), Unit: unitProcesses, Irreversible: true}
	name := unix.SignalName(k.kill.signal)
	if len(k.killed) == 0 {
		e.Resolved, e.Rules = []string{e.To}, []string{"pidfd_send_signal " + name + ": not sent"}
	}
	for n, p := range k.killed {
		if n == 0 {
			e.FirstHit = p.Sent
			e.Spans = []Span{{From: p.Sent}} // for ever
		}
		e.Resolved = append(e.Resolved, pause.Process{PID: p.PID, Name: p.Name}.String())
		rule := fmt.Sprintf("pidfd_send_signal %d %s: lives on", p.PID, name)
		if !p.Ended.IsZero() {
			rule = fmt.Sprintf("pidfd_send_signal %d %s: ended after %v", p.PID, name, p.Ended.Sub(p.Sent).Round(time.Microsecond))
			e.Packets++
		}
		e.Rules = append(e.Rules, rule)
	}
	return e, nil
}
