package contracts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stateLimit is how long a program may take to set one state.
const stateLimit = time.Minute

// states sets provider states: at an address, or by a program, for which this is a
// server of our own that the verifier asks.
type states struct {
	url     string
	command []string

	mu     sync.Mutex
	failed map[string]string // by the state's name: why its setup failed
}

// states returns who sets the states, and what ends it.
func (r Request) states(ctx context.Context) (*states, func(), error) {
	s := &states{url: r.StateURL, command: r.StateCommand, failed: map[string]string{}}
	if len(s.command) == 0 {
		return s, func() {}, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, ourTrouble(fmt.Errorf("state_command: a port for the verifier: %w", err))
	}
	s.url = "http://" + l.Addr().String() + "/"
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: stateLimit,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends with Close
	}()
	return s, func() {
		_ = server.Close() // what it still answers is of no use
		<-done
	}, nil
}

// A change is what the verifier asks for, as Pact has it.
type change struct {
	Action string         `json:"action"` // setup or teardown
	State  string         `json:"state"`
	Params map[string]any `json:"params"`
}

// ServeHTTP sets one state, and answers with the values that the program gave for the
// pact's generators.
func (s *states) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c change
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPact))
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	var values []byte
	if err == nil {
		values, err = s.run(r.Context(), c, body)
	}
	if err != nil {
		s.mu.Lock()
		s.failed[c.State] = fmt.Sprintf("%s of state %q: %v", c.Action, c.State, err)
		s.mu.Unlock()
		// The verifier tries again what a server failed at, but not what it refuses.
		http.Error(w, "the state could not be set", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(values) // a verifier that is gone says so itself
}

// run runs the program: the change is its standard input, and the state and the action
// are in its environment as well.
func (s *states) run(ctx context.Context, c change, stdin []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, stateLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...) //nolint:gosec // the user names the program
	stdout, stderr := &limited{max: maxText, full: func(error) { cancel() }}, &tail{max: maxSaid}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), stdout, stderr
	cmd.Env = append(cmd.Environ(), "PACT_STATE="+c.State, "PACT_STATE_ACTION="+c.Action)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = drain
	runtime.LockOSThread() // see Worker.ask
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, fmt.Errorf("%s: did not end within %v%s", s.command[0], stateLimit, stderr.said())
	case err != nil:
		return nil, fmt.Errorf("%s: %w%s", s.command[0], err, stderr.said())
	}
	out := bytes.TrimSpace(stdout.kept.Bytes())
	if len(out) == 0 || c.Action == "teardown" {
		return []byte("{}"), nil
	}
	var values map[string]any
	if json.Unmarshal(out, &values) != nil {
		return nil, fmt.Errorf("%s: got %q on its standard output, want nothing or a JSON object of values", s.command[0], clip(string(out)))
	}
	return out, nil
}

// explain says of the interactions whose state was not set why: the verifier does not.
func (s *states) explain(all []Interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range all {
		in := &all[i]
		if in.Outcome != NotApplicable {
			continue
		}
		var why []string
		for _, name := range in.States {
			if text, ok := s.failed[name]; ok {
				why = append(why, text)
			}
		}
		if len(why) > 0 {
			in.Message = strings.Join(why, "; ")
		}
	}
}
