package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
)

// Every bad configuration has its exact message beside it: messages are a surface
// that people read at night, so they are reviewed like one.
func TestBadConfigurations(t *testing.T) {
	t.Chdir("testdata/bad")
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("got %d files, want at least 40: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			var stderr strings.Builder
			code := run(t.Context(), []string{"config", "validate", "-c", file}, io.Discard, &stderr)
			if code != exitUsage {
				t.Errorf("exit code: got %d, want %d", code, exitUsage)
			}
			proof.Golden(t, strings.TrimSuffix(file, ".yaml")+".err", stderr.String())
			if strings.Contains(stderr.String(), "hunter2") {
				t.Error("the message shows another line of the file")
			}
		})
	}
}
