package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
)

// needBrowser skips where no journey can run.
func needBrowser(t *testing.T) {
	t.Helper()
	if _, err := journeys.FindBrowser(exec.LookPath); err != nil {
		proof.Lacks(t, err.Error())
	}
}

// startPages serves a page with a form, and what the form leads to.
func startPages(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><title>Tea &amp; "more": $5</title><h1>Order tea</h1>
<form action=/done><label>Your name <input name=name></label><label>Size <select name=size><option>Small<option>Large</select></label>
<label><input type=checkbox> I agree</label><button>Send it</button></form><a href=/done>Done</a>`)
	})
	mux.HandleFunc("/done", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>Done</title><p>Thanks, %s: %s", r.FormValue("name"), r.FormValue("size"))
	})
	mux.HandleFunc("/data", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/json") })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// deadSite is an address at which nothing listens.
func deadSite(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(nil)
	defer s.Close()
	return s.URL
}

// The author's loop: a page, a first journey that passes, and the steps that it proposes.
func TestJourneyNew(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	s := newShell(t)
	site := startPages(t)
	s.foreshock(0, "journey", "new", site, "-o", "journeys/tea.yaml").out("next:\n  foreshock check journeys/tea.yaml --watch")
	s.foreshock(0, "check", "journeys/tea.yaml", "--watch").out("^✓ tea ok").err(`✓ see "Order tea"`)
	s.foreshock(2, "journey", "new", site, "-o", "journeys/tea.yaml").err("tea.yaml is there already; -o FILE names another, --force overwrites it")
	s.foreshock(0, "journey", "new", site, "-o", "journeys/tea.yaml", "--force")
	if b, err := os.ReadFile(filepath.Join(s.dir, "journeys", schemaFile)); err != nil || !strings.Contains(string(b), `"$schema"`) {
		t.Errorf("the schema beside it: got %.50q, %v", b, err)
	}
	// What it proposes works once its signs are taken away.
	b, err := os.ReadFile(filepath.Join(s.dir, "journeys", "tea.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	proposed := ""
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "- step: go on") {
			break
		}
		if _, step, ok := strings.Cut(line, "  # "); ok && strings.HasPrefix(strings.TrimLeft(step, " "), "-") || ok && strings.HasPrefix(step, "  do:") {
			line = "  " + step
		}
		proposed += strings.Replace(line, "what the page says when it has worked", "Thanks, Ada Lovelace: Large", 1)
	}
	s.file("journeys/more.yaml", proposed)
	s.foreshock(0, "check", "journeys/more.yaml", "--watch").err(`✓ send it +`).err(`✓ check checkbox "I agree"`)

	s.foreshock(2, "journey", "new", site+"/data").err("got application/json, want a page in HTML")
	s.foreshock(3, "journey", "new", site+"/none").err("answered 404 Not Found")
	s.foreshock(3, "journey", "new", "http://127.0.0.1:9").err("ERR_")
	s.foreshock(2, "journey", "new", "shop.example").err(`got "shop.example", want an address with http:// or https://, such as https://shop.example`)
	s.foreshock(2, "journey", "new")
	s.foreshock(0, "journey", "new", site, "-o", "-").out(`^name: "tea-more-5"`).err("")
}

// A file is checked without a configuration, and what is no journey is told apart.
func TestCheckFile(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	s := newShell(t)
	site := startPages(t)
	s.file("tea.yaml", "vars: {base: \""+deadSite(t)+"\"}\nsteps: [{step: look, do: [open: \"${base}/\"]}]\n")
	s.foreshock(2, "check", "tea.yaml").out("critical +tea ")
	s.foreshock(0, "check", "./tea.yaml", "--var", "base="+site, "--slow", "10ms").out("^ok +tea ")
	a := s.foreshock(0, "check", "tea.yaml", "--var=base="+site, "--watch", "-o", "json").json().out(`"check":"tea".*"status":"ok"`)
	a.err("✓ open http://127.0.0.1").err("^✓ look +[0-9]")
	if strings.Contains(a.stderr, "\x1b") {
		t.Errorf("got %q, want no control outside of a terminal", a.stderr)
	}
	s.foreshock(3, "check", "tea.yaml", "--var", "bass=x").err(`unknown variable "bass"; did you mean "base"\?`)
	s.foreshock(3, "check", "--var", "base=x").err("--var|foreshock.yaml")
	s.foreshock(3, "check", "none.yaml").err(`got "none.yaml", want a file that is there`)
	s.foreshock(3, "check", "tea.yaml", "--slow=fast").err("such as 300ms")
	s.copy("testdata/thread.yaml")
	s.foreshock(3, "check", "thread.yaml").err("got a scenario, want a journey; foreshock scenario run thread.yaml")
	s.file("foreshock.yaml", "store: {sqlite: {path: r.db}}\nchecks: [{name: tea.yaml, every: 1m, tcp: {address: \"127.0.0.1:9\"}}]\n")
	s.foreshock(3, "check", "foreshock.yaml").err("got a configuration, want a journey; foreshock check -c foreshock.yaml")
	s.foreshock(0, "check", "tea.yaml", "--var", "base="+site).out("^ok +tea ")
	s.foreshock(3, "check", "-c", "foreshock.yaml", "tea.yaml").err("which is a file and a check: ./tea.yaml is the file")
	s.foreshock(0, "check", "-c", "foreshock.yaml", "./tea.yaml", "--var", "base="+site)
	s.foreshock(0, "report", "availability").out("^tea +100.000%") // with a configuration, results go to its store
}

// What --headed and --pause-on-failure lack is said before anything runs.
func TestAuthorNeeds(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.file("tea.yaml", "steps: [{step: look, do: [open: \"http://127.0.0.1:9/\"]}]\n")
	s.exits(3, "env", "-u", "DISPLAY", "-u", "WAYLAND_DISPLAY", "foreshock", "check", "tea.yaml", "--headed").out("").err("neither DISPLAY nor WAYLAND_DISPLAY is set")
	s.foreshock(3, "check", "tea.yaml", "--pause-on-failure").out("").err("got no terminal on standard input")
	// A screen that does not answer is no fault of the service.
	if _, err := journeys.FindWindowBrowser(exec.LookPath); err == nil {
		s.exits(3, "env", "DISPLAY=:987", "foreshock", "check", "tea.yaml", "--headed").out("unknown .*browser")
	}
}

// On a terminal the page is held at a failure until Enter is pressed.
func TestPauseOnTerminal(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	s := newShell(t)
	s.file("tea.yaml", "steps: [{step: look, timeout: 300ms, do: [open: \""+startPages(t)+"/\", click: \"#none\"]}]\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	person, terminal := openTerminal(t)
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "foreshock"), "check", "tea.yaml", "--watch", "--pause-on-failure")
	cmd.Dir, cmd.Env = s.dir, append(s.env, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = terminal.Close()
	var seen strings.Builder
	pressed := false
	for b := make([]byte, 4096); ; {
		n, err := person.Read(b)
		if err != nil { // the program has ended, and its terminal with it
			break
		}
		seen.Write(b[:n])
		if !pressed && strings.Contains(seen.String(), "Enter goes on") {
			pressed = true
			if _, err := person.WriteString("\n"); err != nil {
				t.Error(err)
			}
		}
	}
	err := cmd.Wait()
	if !pressed || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(seen.String(), "devtools://devtools/bundled/inspector.html?ws=127.0.0.1:") ||
		!strings.Contains(seen.String(), "✗ tea critical") {
		t.Errorf("got %v\n%s\nwant the pause, the address for DevTools, and then the result", err, seen.String())
	}
}

// openTerminal opens a pseudo-terminal: what a person has, and what a program gets.
func openTerminal(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return person, terminal
}
