package contracts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/results"
)

// ownWorker is the real worker under a path of the test's own, so that its process can
// be told from those of other tests.
func ownWorker(t *testing.T) *contracts.Worker {
	t.Helper()
	w := realWorker(t)
	path := filepath.Join(t.TempDir(), "foreshock-pact")
	if err := os.Symlink(w.Path, path); err != nil {
		t.Fatal(err)
	}
	w.Path = path
	return w
}

// pidOf returns the process that was started as path, or 0.
func pidOf(path string) int {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if pid, err := strconv.Atoi(e.Name()); err == nil && strings.HasPrefix(string(line), path+"\x00") {
			return pid
		}
	}
	return 0
}

// until waits for a condition, at most 10 s.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: did not come about within 10 s", what)
		}
	}
}

func wantBlind(t *testing.T, err error, cause results.Cause, words ...string) {
	t.Helper()
	if s, c := results.Judge(err); s != results.Unknown || c != cause || err == nil {
		t.Fatalf("got %v %q: %v, want unknown %q", s, c, err, cause)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error %q, want it to hold %q", err, w)
		}
	}
}

func TestWorkerThatIsKilled(t *testing.T) {
	t.Parallel()
	w, url := ownWorker(t), hanging(t).URL
	done := make(chan error, 1)
	go func() {
		_, err := w.Verify(t.Context(), request(url, "testdata/inventory.json"))
		done <- err
	}()
	until(t, "worker runs", func() bool { return pidOf(w.Path) > 0 })
	syscall.Kill(pidOf(w.Path), syscall.SIGSEGV)
	wantBlind(t, <-done, results.CauseInternal, w.Path, "ended without a response")
}

func TestWorkerThatHangs(t *testing.T) {
	t.Parallel()
	w, url := ownWorker(t), hanging(t).URL
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := w.Verify(ctx, request(url, "testdata/inventory.json"))
		done <- err
	}()
	until(t, "worker runs", func() bool { return pidOf(w.Path) > 0 })
	syscall.Kill(pidOf(w.Path), syscall.SIGSTOP)
	wantBlind(t, <-done, results.CauseStalled, "gave no answer within")
	if pid := pidOf(w.Path); pid != 0 {
		t.Errorf("process %d outlived its verification", pid)
	}
}

func TestStoppedVerificationTakesTheWholeGroupWithIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := &contracts.Worker{Path: filepath.Join(dir, "worker")}
	script := fmt.Sprintf("#!/bin/sh\nsleep 60 &\necho $! >%[1]s/new\nmv %[1]s/new %[1]s/pid\nwait\n", dir)
	if err := os.WriteFile(w.Path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.Verify(ctx, request("http://127.0.0.1:1", "testdata/inventory.json"))
		done <- err
	}()
	var pid int
	until(t, "grandchild runs", func() bool {
		text, err := os.ReadFile(dir + "/pid")
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	cancel()
	wantBlind(t, <-done, results.CauseStopped)
	until(t, "grandchild is gone", func() bool { return !running(pid) })
}

// running tells whether a process is there and not just waiting to be reaped.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// verifyAndWait is the helper of TestWorkerEndsWithItsParent.
func verifyAndWait(url string) {
	w := &contracts.Worker{Path: os.Args[1], Library: os.Args[2]} //nolint:forbidigo // set by the test
	w.Verify(context.Background(), request(url, "testdata/inventory.json"))
}

func TestWorkerEndsWithItsParent(t *testing.T) {
	t.Parallel()
	w := ownWorker(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self, w.Path, w.Library)
	parent.Env = append(parent.Environ(), "HELPER_VERIFIES="+hanging(t).URL)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "worker runs", func() bool { return pidOf(w.Path) > 0 })
	pid := pidOf(w.Path)
	parent.Process.Kill()
	parent.Wait()
	until(t, "worker is gone", func() bool { return !running(pid) })
}

func TestWorkerThatTalksTooMuchOrNonsense(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ script, want string }{
		"nothing":       {"exit 0", "ended without a response: exit status 0, and said nothing"},
		"nonsense":      {"echo hello; echo oh dear >&2; exit 3", "ended without a response: exit status 3; its last words: oh dear"},
		"without end":   {"cat /dev/zero", "wrote more than 16777216 bytes"},
		"another's":     {"echo '{}'", "got verdicts of 0 pacts, want 1"},
		"long mourning": {"head -c 100000 /dev/zero | tr '\\0' x >&2", "xxx"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &contracts.Worker{Path: filepath.Join(t.TempDir(), "worker")}
			if err := os.WriteFile(w.Path, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := w.Verify(t.Context(), request("http://127.0.0.1:1", "testdata/inventory.json"))
			wantBlind(t, err, results.CauseInternal, tt.want)
			if len(err.Error()) > 4<<10 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestMissingWorker(t *testing.T) {
	t.Parallel()
	nowhere := func() (string, error) { return filepath.Join(t.TempDir(), "foreshock"), nil }
	w := &contracts.Worker{
		Executable: nowhere,
		LookPath:   func(string) (string, error) { return "", exec.ErrNotFound },
	}
	for name, w := range map[string]*contracts.Worker{
		"not found":  w,
		"wrong path": {Path: filepath.Join(t.TempDir(), "nothing")},
	} {
		_, err := w.Verify(t.Context(), request("http://127.0.0.1:1", "testdata/inventory.json"))
		wantBlind(t, err, results.CauseTool, "foreshock-pact", "make build")
		if _, err := w.Probe(t.Context()); results.Unknown != first(results.Judge(err)) {
			t.Errorf("%s: Probe gave %v", name, err)
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestWorkerBesideTheProgramComesBeforePath(t *testing.T) {
	t.Parallel()
	beside := ownWorker(t)
	w := &contracts.Worker{
		Library:    beside.Library,
		Executable: func() (string, error) { return filepath.Join(filepath.Dir(beside.Path), "foreshock"), nil },
		LookPath:   func(string) (string, error) { return "/bin/false", nil },
	}
	p, err := w.Probe(t.Context())
	if err != nil || p.Worker != beside.Path || p.Library.Path != beside.Library || p.Library.Version != p.Want || p.Want != "0.4.28" {
		t.Errorf("got %+v, %v", p, err)
	}
	w.Executable = func() (string, error) { return "", errors.New("deleted") }
	if p, _ := w.Probe(t.Context()); p.Worker != "/bin/false" {
		t.Errorf("got %q, want the one of PATH", p.Worker)
	}
}

func TestLibrary(t *testing.T) {
	t.Parallel()
	w := realWorker(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ lib, want string }{
		"missing":         {filepath.Join(dir, "none.so"), "No such file or directory"},
		"not a library":   {text, "does not load"},
		"another library": {anotherLibrary(t, ""), "undefined symbol: pactffi_"},
		"another version": {anotherLibrary(t, "0.5.8"), "got version 0.5.8, want 0.4.28"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := *w
			w.Library = tt.lib
			_, err := w.Verify(t.Context(), request("http://127.0.0.1:1", "testdata/inventory.json"))
			wantBlind(t, err, results.CauseTool, tt.want, "scripts/setup-pact.sh")
			p, err := w.Probe(t.Context())
			wantBlind(t, err, results.CauseTool, tt.want)
			if p.Worker != w.Path || p.Want != "0.4.28" || strings.Contains(tt.want, "0.5.8") && p.Library.Version != "0.5.8" {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// anotherLibrary builds a libpact_ffi of another version, or one without any function.
func anotherLibrary(t *testing.T, version string) string {
	t.Helper()
	code := "int nothing;"
	if version != "" {
		code = fmt.Sprintf("const char *pactffi_version(void) { return %q; }\n", version)
		for _, f := range []string{
			"verifier_new_for_application", "verifier_shutdown", "verifier_set_provider_info", "verifier_set_provider_state",
			"verifier_set_verification_options", "verifier_set_coloured_output", "verifier_set_no_pacts_is_error",
			"verifier_add_custom_header", "verifier_add_file_source", "verifier_execute", "verifier_json", "string_delete",
		} {
			code += "void pactffi_" + f + "(void) {}\n"
		}
	}
	path := filepath.Join(t.TempDir(), "lib.so")
	cmd := exec.Command("gcc", "-shared", "-fPIC", "-o", path, "-xc", "-")
	cmd.Stdin = strings.NewReader(code)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	return path
}

func TestWorkerIsNotTrackedNorProxied(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	t.Setenv("PACT_DO_NOT_TRACK", "false")
	path := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nenv >&2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := (&contracts.Worker{Path: path}).Verify(t.Context(), request("http://127.0.0.1:1", "testdata/inventory.json"))
	wantBlind(t, err, results.CauseInternal, "PACT_DO_NOT_TRACK=true")
	if text := strings.ToLower(err.Error()); strings.Contains(text, "http_proxy") || strings.Contains(text, "track=false") {
		t.Errorf("the worker's environment: %v", err)
	}
	if rep := verify(t, request(inventory(t, 3).URL, "testdata/inventory.json")); rep.ExitCode() != 0 {
		t.Errorf("got %q", lines(rep))
	}
}
