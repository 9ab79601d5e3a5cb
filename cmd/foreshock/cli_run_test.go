package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A shell runs the shipped program in a directory of its own.
type shell struct {
	t        *testing.T
	bin, dir string
	env      []string
}

func newShell(t *testing.T, env ...string) *shell {
	t.Helper()
	s := &shell{t: t, bin: binaries(t), dir: t.TempDir()}
	s.env = append(environ("FORESHOCK_PACT_LIB="+pactLibrary(t)), env...)
	return s
}

// file writes a file into the directory.
func (s *shell) file(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// copy puts a file into the directory.
func (s *shell) copy(path string) {
	s.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(filepath.Base(path), string(b))
}

// A said is what a program answered.
type said struct {
	t              *testing.T
	line           string
	stdout, stderr string
}

// exits runs a command line of which foreshock is the last program, and holds it to
// its exit code.
func (s *shell) exits(code int, line ...string) *said {
	s.t.Helper()
	for i, word := range line {
		if word == "foreshock" {
			line[i] = filepath.Join(s.bin, word)
		}
	}
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(s.t.Context(), line[0], line[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, &stdout, &stderr
	err := cmd.Run()
	a := &said{s.t, strings.Join(line[1:], " "), stdout.String(), stderr.String()}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		s.t.Errorf("%s: got %v, want exit code %d\n%s%s", a.line, err, code, a.stdout, a.stderr)
	}
	return a
}

// foreshock runs it.
func (s *shell) foreshock(code int, args ...string) *said {
	s.t.Helper()
	return s.exits(code, append([]string{"foreshock"}, args...)...)
}

// out holds standard output to a pattern; an empty one wants nothing.
func (a *said) out(pattern string) *said {
	a.t.Helper()
	return a.match("standard output", a.stdout, pattern)
}

// err holds standard error to a pattern; an empty one wants nothing.
func (a *said) err(pattern string) *said {
	a.t.Helper()
	return a.match("standard error", a.stderr, pattern)
}

func (a *said) match(what, got, pattern string) *said {
	a.t.Helper()
	if pattern == "" && got != "" || !regexp.MustCompile("(?m)"+pattern).MatchString(got) {
		a.t.Errorf("%s: %s: got %q, want %q", a.line, what, got, pattern)
	}
	return a
}

// json holds every line of standard output to being JSON, and to there being one.
func (a *said) json() *said {
	a.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(a.stdout, "\n"), "\n") {
		if !json.Valid([]byte(line)) {
			a.t.Errorf("%s: got %q, want JSON and nothing else", a.line, line)
		}
	}
	return a
}

// startSite serves a page that is well, one that is slow, and one that is not.
func startSite(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { time.Sleep(60 * time.Millisecond) })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	return site.URL
}

// startCatalog starts the shop's catalog.
func startCatalog(t *testing.T, bin string) (url string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "shop"), "catalog", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("catalog: got %q, %v", line, err)
	}
	return url
}
