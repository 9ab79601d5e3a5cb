package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/scenarios"
)

// insideEnv makes the test program run the tests that need namespaces of their own.
const insideEnv = "FORESHOCK_TEST_INSIDE"

// TestLoop runs the TestInside tests in namespaces of their own, as an ordinary user could.
func TestLoop(t *testing.T) {
	if os.Getenv(insideEnv) != "" {
		t.Skip("inside already")
	}
	need(t, "iptables", "apt-get install iptables")
	t.Setenv("PATH", binaries(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(insideEnv, "1")
	t.Setenv("FORESHOCK_CHAOS", "allowed")
	var out strings.Builder
	code, err := isolate.Run(t.Context(), isolate.Command{Args: []string{"-test.run=^TestInside", "-test.v"}, Stdout: &out, Stderr: &out})
	if err != nil || code != 0 || !strings.Contains(out.String(), "--- PASS: TestInside") {
		t.Errorf("exit code %d, error %v\n%s", code, err, out.String())
	}
}

// TestInside holds the thread that comes before everything else: the shop's breaker
// passes, without it the run fails, and a fault that nobody meets is invalid.
func TestInside(t *testing.T) {
	enterInside(t)
	for name, c := range map[string]struct {
		breaker, payments string
		want              verdict.Verdict
		code              int
		failed            []string
	}{
		"breaker on":           {"on", "127.0.0.1:9002", verdict.Pass, exitYes, nil},
		"breaker off":          {"off", "127.0.0.1:9002", verdict.Fail, exitNo, []string{"trips-at-threshold", "quiet-while-open", "fails-fast"}},
		"a port nobody uses":   {"on", "127.0.0.1:9999", verdict.Invalid, exitNothing, nil},
		"an address of no use": {"on", "[::1]:9002", verdict.Invalid, exitNothing, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := runThread(t, c.breaker, c.payments, c.code)
			if r.Verdict != c.want || r.ExitCode != c.code {
				t.Errorf("got %v (%s), exit code %d, want %v", r.Verdict, r.Reason, r.ExitCode, c.want)
			}
			var failed []string
			for _, p := range r.Properties {
				if p.Verdict == verdict.Fail {
					failed = append(failed, p.ID)
				}
				if c.want == verdict.Invalid && p.Verdict == verdict.Pass {
					t.Errorf("%s passed without evidence", p.ID)
				}
			}
			if strings.Join(failed, " ") != strings.Join(c.failed, " ") {
				t.Errorf("failed properties: got %v, want %v", failed, c.failed)
			}
			if left, err := (&faults.Injector{}).List(t.Context()); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// runThread starts the shop and runs the sample scenario without its checks.
func runThread(t *testing.T, breaker, payments string, code int) *scenarios.Report {
	t.Helper()
	p := &program{stdout: io.Discard, stderr: io.Discard}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := p.startShop(ctx, breaker)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	t.Setenv("SHOP_URL", s.env["SHOP_URL"])
	t.Setenv("PAYMENTS_ADDRESS", payments)
	t.Setenv("SSH_CONNECTION", auditedFrom)
	dir := t.TempDir()
	file, page, audit := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.html"), filepath.Join(dir, "audit")
	var out strings.Builder
	if got := run(ctx, []string{"scenario", "run", "testdata/thread.yaml", "--json", file, "--report", page, "--audit", audit}, &out, &out); got != code {
		t.Errorf("exit code: got %d, want %d\n%s", got, code, out.String())
	}
	wantAudit(t, audit, payments)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r scenarios.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "<title>"+r.Scenario+": "+r.Verdict.String()+"</title>") {
		t.Errorf("--report: %v, %.200s", err, text)
	}
	if text, err := os.ReadFile("testdata/thread.yaml"); err != nil || r.Definition != string(text) {
		t.Errorf("definition: %v, %.200s", err, r.Definition)
	}
	return &r
}
