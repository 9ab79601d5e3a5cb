package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// wantAudit holds the audit of one run of the sample scenario to who did what to whom,
// when, where from and why.
func wantAudit(t *testing.T, path, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	for line := range strings.Lines(string(text)) {
		var e struct {
			At                                           time.Time
			Action, From, Host, Run, Name, Kind, To, Why string
			UID                                          *int
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		did = append(did, e.Action)
		if e.UID == nil || e.Host == "" || e.From != auditedFrom || e.Run == "" || e.Name != "thread" || e.Kind != "drop" || e.To != to ||
			!strings.HasPrefix(e.Why, "Checkout answers") || time.Since(e.At) > time.Minute {
			t.Errorf("audit: got %s", line)
		}
	}
	if got := strings.Join(did, " "); !regexp.MustCompile("^install( arm heal)+ close$").MatchString(got) {
		t.Errorf("audit: got %q, want install, arm and heal of each time, close", got)
	}
}

// auditedFrom is where the one came from who runs the sample scenario, as ssh says it.
const auditedFrom = "192.0.2.7 50000 192.0.2.1 22"

// TestInsideUnaudited: what cannot be written down is not done, and the report says why.
func TestInsideUnaudited(t *testing.T) {
	enterInside(t)
	t.Setenv("SHOP_URL", "http://127.0.0.1:1")
	t.Setenv("PAYMENTS_ADDRESS", "127.0.0.1:2")
	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{"scenario", "run", "testdata/thread.yaml", "--json", file, "--audit", filepath.Join(file, "audit")}
	if got := run(t.Context(), args, io.Discard, io.Discard); got != exitUnsure {
		t.Errorf("exit code: got %d, want %d", got, exitUnsure)
	}
	if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), "not a directory (name a file that you may write: --audit FILE)") {
		t.Errorf("report: got %s, %v", b, err)
	}
}

// A process that lives for weeks follows its audit when that is rotated.
func TestAuditIsRotated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit")
	p := &program{env: func(string) (string, bool) { return "", false }}
	if _, err := p.openAudit(path); err != nil {
		t.Fatal(err)
	}
	file := auditFile(path)
	for _, text := range []string{"old\n", "new\n"} {
		if _, err := file.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if text == "old\n" {
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "new\n" {
		t.Errorf("got %q, %v, want the new line in a new file", b, err)
	}
}
