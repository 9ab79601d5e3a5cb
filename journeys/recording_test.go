package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/journeys/recorder"
	"github.com/foreshock/foreshock/results"
)

// recording is a recording of testdata, with its pages at base.
func recording(tb testing.TB, base, name string, changes ...string) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/recordings/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), name)
	out := strings.NewReplacer(append([]string{"$BASE", base}, changes...)...).Replace(string(text))
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// imported is the journey that the recording at path becomes as a file of its own.
func imported(tb testing.TB, path string) *Journey {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := recorder.Read(path, text)
	if err != nil {
		tb.Fatal(err)
	}
	path = strings.TrimSuffix(path, ".json") + ".yaml"
	if err := os.WriteFile(path, r.YAML(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return loaded(tb, path)
}

func loaded(tb testing.TB, path string) *Journey {
	tb.Helper()
	j, err := Load(path, testVars(filepath.Dir(path)), nil)
	if err != nil {
		text, _ := os.ReadFile(path)
		tb.Fatalf("%v\n%s", err, text)
	}
	return j
}

// Each recording is well, run as it is and as the journey file that the import makes of
// it, with the same steps.
func TestRecordings(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	files, err := filepath.Glob("testdata/recordings/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			path := recording(t, base, filepath.Base(file))
			direct, file := loaded(t, path), imported(t, path)
			if direct.Name != file.Name {
				t.Errorf("got the names %q and %q, want the same", direct.Name, file.Name)
			}
			var names [2][]string
			for i, j := range []*Journey{direct, file} {
				r := walk(t, p, j, 90*time.Second)
				wantResult(t, r, results.OK, "")
				for _, s := range r.Steps {
					names[i] = append(names[i], s.Name)
				}
			}
			if a, b := strings.Join(names[0], "\n"), strings.Join(names[1], "\n"); a != b {
				t.Errorf("got the steps\n%s\nand as a journey file\n%s", a, b)
			}
		})
	}
}
