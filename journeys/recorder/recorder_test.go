package recorder

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
)

var update = flag.Bool("update", false, "write the golden file of the messages")

// The golden file has the message for each file of testdata/bad.
func TestBadRecordings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*")
	if err != nil || len(files) < 40 {
		t.Fatalf("got %d bad files: %v", len(files), err)
	}
	var got strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(filepath.Base(file), text)
		if err == nil {
			t.Errorf("%s: got no error", file)
			continue
		}
		got.WriteString(err.Error() + "\n")
	}
	const golden = "testdata/bad.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if strings.Contains(got.String(), "hunter2") {
		t.Error("a message shows a typed value")
	}
}

func plainNode(n kind.Node) string { return flowing(n) }
