package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const servedChecks = `
listen: 127.0.0.1:0
store: {sqlite: {path: "${env:STORE}/serve.db"}}
checks:
  - {name: ok, every: 1s, timeout: 900ms, http: {url: "${env:SITE}/ok"}}
sinks:
  - prometheus: {}
`

func TestServe(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	s := newShell(t, "SITE="+site, "STORE=.")
	s.file("broken.yaml", "chekcs: []\n")
	s.file("foreshock.yaml", servedChecks)
	s.foreshock(2, "serve", "-c", "broken.yaml").err(`broken.yaml:1:1: unknown key "chekcs"; did you mean "checks"\?`)
	s.foreshock(2, "serve", "--listen", strings.TrimPrefix(site, "http://")).err("address already in use; another address: --listen HOST:PORT")
	s.exits(0, "timeout", "--preserve-status", "--signal=TERM", "2", "foreshock", "serve").out("").err("msg=serving dashboard=http://127.0.0.1:")
	s.foreshock(0, "report", "availability").out("ok +100.000%")
	// What would be refused at night is said at the start.
	s.copy("testdata/thread.yaml")
	s.env = append(s.env, "SHOP_URL="+site, "PAYMENTS_ADDRESS=127.0.0.1:2")
	s.file("foreshock.yaml", strings.Replace(servedChecks, "checks:\n", `checks:
  - {name: thread, cron: "0 3 * * *", scenario: {file: thread.yaml}}
`, 1))
	for audit, refused := range map[string]bool{"audit": false, "none/audit": true} {
		a := s.exits(0, "timeout", "--preserve-status", "--signal=TERM", "2", "foreshock", "serve", "--audit", audit).err("msg=serving")
		if got := strings.Contains(a.stderr, "scheduled scenarios will be refused"); got != refused {
			t.Errorf("audit %s: got %s, want refused %v", audit, a.stderr, refused)
		}
	}
}

// A served is the program, serving.
type served struct {
	t         *testing.T
	cmd       *exec.Cmd
	log       output
	dashboard string
}

// serve starts a command line that ends in serve, and waits for the dashboard.
func (s *shell) serve(line ...string) *served {
	s.t.Helper()
	r := &served{t: s.t, cmd: exec.Command(line[0], line[1:]...)}
	r.cmd.Dir, r.cmd.Env, r.cmd.Stderr = s.dir, s.env, &r.log
	if err := r.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		if s.t.Failed() {
			s.t.Log(r.log.String())
		}
	})
	r.until("the dashboard", func() bool {
		r.dashboard = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(r.log.String())
		return r.dashboard != ""
	})
	return r
}

// until waits for a condition.
func (r *served) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited for %s", what)
		}
	}
}

// says waits for a word in the log.
func (r *served) says(word string) {
	r.t.Helper()
	r.until(word, func() bool { return strings.Contains(r.log.String(), word) })
}

func (r *served) metrics() string {
	r.t.Helper()
	resp, err := http.Get(r.dashboard + "metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		r.t.Fatalf("metrics: got %s, %v", resp.Status, err)
	}
	return string(b)
}

// stop ends it as systemd does.
func (r *served) stop() error {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	return r.cmd.Wait()
}

// What the store knows of a check is in the metrics from the start, however long it is
// until its next run.
func TestServeRemembers(t *testing.T) {
	t.Parallel()
	s := newShell(t, "SITE="+startSite(t), "STORE=.")
	s.file("foreshock.yaml", strings.Replace(servedChecks, "every: 1s", `cron: "0 3 1 1 *"`, 1))
	s.foreshock(0, "check")
	r := s.serve(filepath.Join(s.bin, "foreshock"), "serve")
	const of = `{check="ok",kind="http",location="local"`
	text := r.metrics()
	for _, want := range []string{"foreshock_check_up" + of + "} 1", "foreshock_check_runs_total" + of + `,status="ok"} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("got no line %s in\n%s", want, text)
		}
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// With its disk full it goes on looking and showing, says that nothing is stored, and
// stores what it kept once there is room. While there is none it ends without delay.
func TestServeOnAFullDisk(t *testing.T) {
	t.Parallel()
	need(t, "unshare", "apt-get install util-linux")
	s := newShell(t, "SITE="+startSite(t), "STORE=disk")
	s.file("foreshock.yaml", servedChecks)
	disk := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	line := []string{"unshare", "--mount", "sh", "-euc", `mount -t tmpfs -o size=256k none disk; exec "$0" serve`, filepath.Join(s.bin, "foreshock")}
	if os.Getuid() != 0 {
		line = slices.Insert(line, 1, "--user", "--map-root-user")
	}
	for _, freed := range []bool{true, false} {
		r := s.serve(line...)
		// Its disk is ours to fill by way of its root.
		fill := fmt.Sprintf("/proc/%d/root%s/fill", r.cmd.Process.Pid, disk)
		if err := os.WriteFile(fill, make([]byte, 1<<20), 0o600); err == nil {
			t.Fatal("the disk is not full")
		}
		r.says("store fails; records are kept")
		r.metrics()
		if freed {
			if err := os.Remove(fill); err != nil {
				t.Fatal(err)
			}
			r.says("store works again")
		}
		begin := time.Now()
		err := r.stop()
		if took := time.Since(begin); took > 9*time.Second {
			t.Errorf("it ended after %v, want some seconds", took)
		}
		if (err == nil) != freed {
			t.Errorf("ended with %v, want 0 only if what was kept is stored", err)
		}
		if !freed {
			r.says("records were not stored")
		}
	}
}
