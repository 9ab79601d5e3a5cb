package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
)

// In CI, what a failed journey saw lies in a directory that the job uploads.
func TestCheckWritesEvidence(t *testing.T) {
	t.Parallel()
	if _, err := journeys.FindBrowser(exec.LookPath); err != nil {
		proof.Lacks(t, err.Error())
	}
	s := newShell(t)
	s.file("buy.yaml", "steps:\n- {step: open, do: [{open: \""+startSite(t)+"/ok\"}]}\n- {step: buy, timeout: 300ms, do: [{click: \"#buy\"}]}\n")
	s.file("foreshock.yaml", "checks:\n- {name: buy/a mug, every: 1m, journey: {file: buy.yaml}}\n")
	s.foreshock(2, "check", "--evidence", "out").out(`^critical +buy/a mug`)
	dir := filepath.Join(s.dir, "out", "buy-a-mug")
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Size() == 0 {
			t.Errorf("%s is empty", e.Name())
		}
	}
	for _, want := range []string{"console.json", "failure.png", "network.har", "page.html", "result.json"} {
		if !slices.Contains(names, want) {
			t.Errorf("got %q, want %s", names, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "result.json"))
	var r struct{ Check, Status string }
	if err != nil || json.Unmarshal(text, &r) != nil || r.Check != "buy/a mug" || r.Status != "critical" {
		t.Errorf("got %s, %v, want the result", text, err)
	}
	// Once more, and nothing old is left.
	if err := os.WriteFile(filepath.Join(dir, "old.png"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.foreshock(2, "check", "--evidence", "out")
	if _, err := os.Stat(filepath.Join(dir, "old.png")); err == nil {
		t.Error("evidence of an earlier run is still there")
	}
	// A directory that is not ours is left alone.
	if err := os.Remove(filepath.Join(dir, "result.json")); err != nil {
		t.Fatal(err)
	}
	s.foreshock(3, "check", "--evidence", "out").err("buy-a-mug: got a directory with other files in it")
	if _, err := os.Stat(filepath.Join(dir, "network.har")); err != nil {
		t.Error("a file of someone else is gone")
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"buy a mug": "buy-a-mug", "../../etc/passwd": "-..-etc-passwd", "Käse": "K-se", "..": "unnamed", "network.har": "network.har",
	} {
		if got := fileName(name); got != want || strings.ContainsRune(got, filepath.Separator) {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
