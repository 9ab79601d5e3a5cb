package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/scenarios"
)

// loader reads what the tests' files name.
func loader() scenarios.Loader {
	return (&rig{looks: map[string]func(context.Context) error{"a": func(context.Context) error { return nil }}}).loader()
}

// Every bad scenario has its exact message beside it: messages are a surface that
// people read at night, so they are reviewed like one.
func TestBadScenarios(t *testing.T) {
	t.Chdir("testdata/bad")
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("got %d files, want at least 40: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			_, err := loader().Load(file)
			if err == nil {
				t.Fatal("got no error")
			}
			got := err.Error() + "\n"
			proof.Golden(t, strings.TrimSuffix(file, ".yaml")+".err", got)
			if strings.Contains(got, "hunter2") {
				t.Error("the message shows another line of the file")
			}
		})
	}
}

// Whatever a file holds, loading it ends, does not panic, and what is wrong has a
// place; what is right can be planned, and its limit is enough.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/plan.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "{cmd:") || strings.Contains(text, "{file:") {
			t.Skip("would run or read what the fuzzer says")
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.yaml", os.Getpid()))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		specs, err := loader().Load(file)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, file+":") {
					t.Errorf("got %q, want a place", line)
				}
				break // a message may hold what the file holds, with its newlines
			}
			return
		}
		for _, s := range specs {
			var plan strings.Builder
			s.WritePlan(&plan)
			if !strings.Contains(plan.String(), s.Name) || s.Limit <= 0 {
				t.Errorf("limit %v, plan %s", s.Limit, plan.String())
			}
		}
	})
}

// The plan says what a run would do, and touches nothing.
func TestPlan(t *testing.T) {
	t.Parallel()
	specs, err := loader().Load("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, s := range specs {
		s.WritePlan(&got)
	}
	proof.Golden(t, "testdata/plan.txt", got.String())
}
