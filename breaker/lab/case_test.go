package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/probes"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// Every case's scenario is one that a user could have written.
func TestScenariosAreValid(t *testing.T) {
	t.Parallel()
	l := scenarios.Loader{
		Checks: func(*kind.Vars) kind.Table[results.Check] { return probes.Kinds() },
		Env:    func(string) (string, bool) { return "", false }, Secrets: &kind.Secrets{},
	}
	for _, c := range Cases() {
		s := &site{url: "http://127.0.0.1:8080", dependencies: []string{"127.0.0.1:9002", "127.0.0.1:9003"}}
		file := filepath.Join(t.TempDir(), "scenario.yaml")
		if err := os.WriteFile(file, []byte(c.scenario(s)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Load(file); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

// A later line of what an owner declares takes the place of the common one.
func TestDeclares(t *testing.T) {
	t.Parallel()
	s := &site{url: "http://127.0.0.1:1", dependencies: []string{"[::1]:2"}}
	c := Case{Name: "n", Declares: []Line{{"failures", ""}, {"open_for", "9s"}, {"background", "1/s"}}, Patience: "4s", More: catalog}
	got := c.scenario(s)
	for _, want := range []string{"\n  open_for: 9s\n", "\n  background: 1/s\n", `url: "http://127.0.0.1:1/checkout", timeout: 4s`, `- drop: {to: "[::1]:2"}`, `"http://127.0.0.1:1/catalog"`} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "failures:") || strings.Contains(got, "2s") {
		t.Errorf("want neither failures nor the common open time in\n%s", got)
	}
}
