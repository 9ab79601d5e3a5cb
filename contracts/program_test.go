package contracts_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/contracts/worker"
	"github.com/foreshock/foreshock/results"
)

// The worker finds its library beside itself, in the checkout it was built in, and
// where FORESHOCK_PACT_LIB says, which goes before.
func TestWorkerFindsItsLibrary(t *testing.T) {
	w := realWorker(t)
	t.Setenv("FORESHOCK_PACT_LIB", "")
	root := t.TempDir()
	for _, dir := range []string{"bin", ".tools/pact"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lib := w.Library
	moved := &contracts.Worker{Path: filepath.Join(root, "bin", "foreshock-pact")}
	program, err := os.ReadFile(w.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(moved.Path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = moved.Probe(t.Context())
	wantBlind(t, err, results.CauseTool, "got none in "+root+"/bin, "+root+"/.tools/pact, /opt/pact/lib", "scripts/setup-pact.sh")

	for _, place := range []string{".tools/pact/libpact_ffi.so", "bin/libpact_ffi.so"} {
		place = filepath.Join(root, place)
		if err := os.Symlink(lib, place); err != nil {
			t.Fatal(err)
		}
		if p, err := moved.Probe(t.Context()); err != nil || p.Library.Path != place {
			t.Errorf("got %+v, %v, want the library %s", p, err, place)
		}
	}
	t.Setenv("FORESHOCK_PACT_LIB", lib)
	if p, err := moved.Probe(t.Context()); err != nil || p.Library.Path != lib {
		t.Errorf("got %+v, %v, want the library %s", p, err, lib)
	}
}

func TestWorkerWithoutCgoSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foreshock-pact")
	cmd := exec.Command("go", "build", "-o", path, "../cmd/foreshock-pact")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w := &contracts.Worker{Path: path}
	_, err := w.Verify(t.Context(), request("http://127.0.0.1:1", "testdata/inventory.json"))
	wantBlind(t, err, results.CauseTool, "built without cgo", "CGO_ENABLED=1")
}

func TestProgramAnswersAnythingWithJSON(t *testing.T) {
	t.Parallel()
	w := realWorker(t)
	for _, stdin := range []string{"", "hello", `{"provider": 7}`, `{"colour": "red"}`} {
		cmd := exec.Command(w.Path)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		var res worker.Response
		exit, _ := errors.AsType[*exec.ExitError](err)
		if json.Unmarshal(out, &res) != nil || res.Error == nil || res.Error.Kind != worker.KindRequest || exit == nil || exit.ExitCode() != 2 {
			t.Errorf("%q: got %s, %v, want an error of kind request and exit code 2", stdin, out, err)
		}
	}
}
