package contracts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/foreshock/foreshock/contracts/worker"
	"github.com/foreshock/foreshock/results"
)

const (
	workerName = "foreshock-pact"
	maxOutput  = 16 << 20 // of a worker, in bytes
	maxSaid    = 2 << 10  // kept of its standard error, in bytes
	drain      = time.Second
)

// A Worker starts foreshock-pact, one process a verification. Its zero value looks for
// the program and the library by itself. It may be used from several goroutines.
type Worker struct {
	Path    string // of foreshock-pact; empty: beside the running program, then where LookPath finds it
	Library string // of libpact_ffi; empty: where the worker looks by itself

	Executable func() (string, error)            // the running program; nil is [os.Executable]
	LookPath   func(name string) (string, error) // nil is [exec.LookPath]
}

// find returns the path of the worker program.
func (w *Worker) find() (string, error) {
	if w.Path != "" {
		return w.Path, nil
	}
	executable, lookPath := w.Executable, w.LookPath
	if executable == nil {
		executable = os.Executable
	}
	if lookPath == nil {
		lookPath = exec.LookPath
	}
	self, err := executable()
	if err == nil {
		beside := filepath.Join(filepath.Dir(self), workerName)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	path, err := lookPath(workerName)
	if err != nil {
		return "", results.Blind(results.CauseTool, fmt.Errorf("%s: got none beside %s nor in PATH; build it with: make build", workerName, self))
	}
	return path, nil
}

// ask runs the worker once and returns its response, whose Error is nil. Any error is
// unknown: a worker that fails says nothing of the provider. The process and all it
// starts are gone when ask returns, and they go when this process is killed.
func (w *Worker) ask(ctx context.Context, stdin []byte, inherited []*os.File, args ...string) (worker.Response, error) {
	var res worker.Response
	path, err := w.find()
	if err != nil {
		return res, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout, stderr := &limited{max: maxOutput, full: cancel}, &tail{max: maxSaid}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the user, or this machine's PATH, names the worker
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = bytes.NewReader(stdin), stdout, stderr, inherited
	cmd.Env = append(direct(cmd.Environ()), "PACT_DO_NOT_TRACK=true", "GOTRACEBACK=none")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = drain

	// The kernel sends Pdeathsig when the thread that started the child ends, not the
	// process: until the child has ended, this thread stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	err = cmd.Run()
	switch {
	case ctx.Err() != nil && err != nil:
		return res, ended(ctx, time.Since(start), stderr)
	case err != nil && cmd.Process == nil:
		return res, notStarted(path, err)
	}
	if json.Unmarshal(stdout.kept.Bytes(), &res) != nil {
		if err == nil {
			err = errors.New("exit status 0")
		}
		return res, results.Blind(results.CauseInternal, fmt.Errorf("%s: ended without a response: %w%s", path, err, stderr.said()))
	}
	if res.Error == nil {
		return res, nil
	}
	cause := results.CauseInternal
	if res.Error.Kind == worker.KindTool {
		cause = results.CauseTool
	}
	return res, results.Blind(cause, fmt.Errorf("%s: %w", workerName, res.Error))
}

func ended(ctx context.Context, took time.Duration, stderr *tail) error {
	cause, how := results.CauseStalled, "gave no answer within"
	switch {
	case errors.Is(context.Cause(ctx), errTooMuch):
		cause, how = results.CauseInternal, fmt.Sprintf("wrote more than %d bytes within", maxOutput)
	case errors.Is(ctx.Err(), context.Canceled):
		cause, how = results.CauseStopped, "was stopped after"
	}
	return results.Blind(cause, fmt.Errorf("%s: %s %v%s", workerName, how, took.Round(time.Millisecond), stderr.said()))
}

func notStarted(path string, err error) error {
	if s, cause := results.Judge(err); s == results.Unknown && cause == results.CauseResources {
		return results.Blind(cause, fmt.Errorf("%s: %w", workerName, err))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: there is no such program; build it with: make build", path)
	}
	return results.Blind(results.CauseTool, fmt.Errorf("%s: cannot be started: %w", workerName, err))
}

// direct leaves the settings of proxies out of an environment: a check looks at the
// provider itself, and a proxy's answer would pass for the provider's.
func direct(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			out = append(out, kv)
		}
	}
	return out
}

// errTooMuch ends a worker that writes more than any verification does.
var errTooMuch = errors.New("wrote too much")

// limited is a buffer that ends its writer when it is given more than max bytes.
type limited struct {
	kept bytes.Buffer // not embedded: its ReadFrom would go round Write
	max  int
	full func(error)
}

// Write implements [io.Writer].
func (l *limited) Write(b []byte) (int, error) {
	if l.kept.Len()+len(b) > l.max {
		l.full(errTooMuch)
		return 0, errTooMuch
	}
	return l.kept.Write(b)
}

// tail keeps the last max bytes that are written to it.
type tail struct {
	kept []byte
	max  int
}

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - t.max; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

// said is the end of a message about the writer: its last words.
func (t *tail) said() string {
	words := strings.TrimSpace(strings.ToValidUTF8(string(t.kept), ""))
	if words == "" {
		return ", and said nothing"
	}
	return "; its last words: " + words
}
