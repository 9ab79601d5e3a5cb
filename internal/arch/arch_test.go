package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
)

const module = "github.com/foreshock/foreshock"

type pkg struct {
	ImportPath string
	Imports    []string
}

// packages lists this module's packages. The test cache does not see what go list
// reads, so `make test` runs this package with -count=1.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var ps []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return ps
		}
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

// The golden file is the architecture: one line for each import of one package of
// ours by another (->), and for each outside module that a package touches (=>).
func TestImports(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, to := range p.Imports {
			if own, ok := strings.CutPrefix(to, module+"/"); ok {
				lines = append(lines, from+" -> "+own)
			} else if strings.Contains(strings.Split(to, "/")[0], ".") {
				lines = append(lines, from+" => "+to)
			}
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	proof.Golden(t, "testdata/imports.golden", got)
}

// results is the ground: the standard library alone.
func TestGround(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if p.ImportPath != module+"/results" {
			continue
		}
		for _, to := range p.Imports {
			if strings.Contains(strings.Split(to, "/")[0], ".") {
				t.Errorf("results imports %s, want the standard library alone", to)
			}
		}
		return
	}
	t.Error("no package results")
}

// The program must start on a machine without a C library to link.
func TestMainProgramNeedsNoCgo(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", t.TempDir(), module+"/cmd/foreshock", module+"/cmd/foreshock-pact")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("build with CGO_ENABLED=0: %v\n%s", err, out)
	}
}
