package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// With its disk full it goes on looking and showing, says that nothing is stored, and
// stores what it kept once there is room.
func TestServeOnAFullDisk(t *testing.T) {
	t.Parallel()
	need(t, "unshare", "apt-get install util-linux")
	s := newShell(t, "SITE="+startSite(t))
	s.file("foreshock.yaml", servedChecks)
	disk := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	line := []string{"--mount", "sh", "-euc", `mount -t tmpfs -o size=256k none disk; exec "$0" serve`, filepath.Join(s.bin, "foreshock")}
	if os.Getuid() != 0 {
		line = append([]string{"--user", "--map-root-user"}, line...)
	}
	var log output
	cmd := exec.Command("unshare", line...)
	cmd.Dir, cmd.Env, cmd.Stderr = s.dir, append(s.env, "STORE=disk"), &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited for %s", what)
			}
		}
	}
	var dashboard string
	until("the dashboard", func() bool {
		dashboard = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(log.String())
		return dashboard != ""
	})
	// Its disk is ours to fill by way of its root.
	fill := fmt.Sprintf("/proc/%d/root%s/fill", cmd.Process.Pid, disk)
	if err := os.WriteFile(fill, make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	until("word that nothing is stored", func() bool { return strings.Contains(log.String(), "store fails; records are kept") })
	resp, err := http.Get(dashboard + "metrics")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("metrics: got %+v, %v", resp, err)
	}
	resp.Body.Close()
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	until("word that it is stored again", func() bool { return strings.Contains(log.String(), "store works again") })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want 0: what was kept is stored", err)
	}
}
