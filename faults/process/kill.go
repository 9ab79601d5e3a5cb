package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/pause"
)

// endLimit is how long a process may take to end of its signal.
const endLimit = 10 * time.Second

// killed are processes that end.
type killed struct {
	selector pause.Selector
	signal   syscall.Signal
	limit    time.Duration
	children bool
}

func killKind() kind.Kind[Fault] {
	type settings struct {
		PID       int           `yaml:"pid"`
		Container string        `yaml:"container"`
		Tree      bool          `yaml:"tree"`
		Signal    string        `yaml:"signal"`
		Within    time.Duration `yaml:"ends_within"`
		Children  bool          `yaml:"own_children"`
	}
	return kind.Of("kill", "processes end; irreversible: nothing brings them back but whoever supervises them", `
pid: 4711
signal: TERM
ends_within: 10s
`, settings{Signal: "KILL", Within: endLimit}, func(s settings) (Fault, error) {
		sel, err := selector(s.PID, s.Container, s.Tree)
		if err != nil {
			return nil, err
		}
		words := []string{"KILL", "TERM", "INT", "QUIT", "HUP", "ABRT", "SEGV"}
		numbers := []syscall.Signal{
			syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT,
			syscall.SIGHUP, syscall.SIGABRT, syscall.SIGSEGV,
		}
		at := slices.Index(words, s.Signal)
		if at < 0 {
			return nil, kind.At("signal", errors.New(kind.UnknownWord("signal", s.Signal, words)))
		}
		if s.Within <= 0 {
			return nil, kind.At("ends_within", fmt.Errorf("got %v, want more than 0", s.Within))
		}
		return killed{sel, numbers[at], s.Within, s.Children}, nil
	})
}

func (k killed) Kind() string       { return "kill" }
func (k killed) Target() string     { return k.selector.String() }
func (k killed) Irreversible() bool { return true }

// Install implements [Fault]. The processes are pinned now and named by number, or by
// the container's id, when it is armed.
func (k killed) Install(ctx context.Context, o faults.Options) (faults.Injection, error) { //nolint:ireturn // as every installation
	if !time.Now().Before(o.Until) {
		return nil, kind.At("until", fmt.Errorf("got %s, want a time ahead", o.Until.Format(time.RFC3339)))
	}
	aimed, err := pause.Aim(ctx, k.selector, k.children)
	if err != nil {
		return nil, fmt.Errorf("install kill of %s: %w", k.selector, err)
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

// Arm implements [faults.Injection]: it sends the signal and waits for the end of the
// processes. It cannot be taken back, and a second time is no second signal.
func (k *killing) Arm(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.closed:
		return fmt.Errorf("kill %s: %w", k.kill.selector, faults.ErrClosed)
	case k.spent:
		return nil
	case !time.Now().Before(k.until):
		return fmt.Errorf("kill %s: its hard end %s has passed", k.kill.selector, k.until.Format(time.RFC3339))
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

// Close implements [faults.Injection].
func (k *killing) Close(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.closed = true
		k.aim.Close()
	}
	return nil
}

// Evidence implements [faults.Injection]. Its packets are the processes that have
// ended; healed by is empty, because nothing was.
func (k *killing) Evidence(context.Context) (faults.Evidence, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := faults.Evidence{Kind: "kill", To: k.aim.String()}
	name := unix.SignalName(k.kill.signal)
	for n, p := range k.killed {
		if n == 0 {
			e.FirstHit = p.Sent
			e.Spans = []faults.Span{{From: p.Sent}} // for ever
		}
		e.Resolved = append(e.Resolved, fmt.Sprintf("pid %d (%s)", p.PID, p.Name))
		rule := fmt.Sprintf("pidfd_send_signal %d %s: lives on", p.PID, name)
		if !p.Ended.IsZero() {
			rule = fmt.Sprintf("pidfd_send_signal %d %s: ended after %v", p.PID, name, p.Ended.Sub(p.Sent).Round(time.Microsecond))
			e.Packets++
		}
		e.Rules = append(e.Rules, rule)
	}
	return e, nil
}
