package recorder

import (
	goflag "flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
)

var update = goflag.Bool("update", false, "write the golden files")

// golden holds got to a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

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
		if _, err = Read(filepath.Base(file), text); err == nil {
			t.Errorf("%s: got no error", file)
			continue
		}
		got.WriteString(err.Error() + "\n")
	}
	golden(t, "testdata/bad.golden", got.String())
	if strings.Contains(got.String(), "hunter2") {
		t.Error("a message shows a typed value")
	}
}

// Each type of step with each of its keys, as a journey file.
func TestGoodRecordings(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"all", "shop"} {
		text, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Read(name+".json", text)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+name+".yaml", string(r.YAML()))
		var warnings strings.Builder
		for _, w := range r.Warnings {
			warnings.WriteString(w.String() + "\n")
		}
		golden(t, "testdata/"+name+".warnings", warnings.String())
		if strings.Contains(warnings.String(), "hunter2") {
			t.Error("a warning shows a typed value")
		}
		for _, s := range r.Journey.Get("steps").Items {
			if name := s.Get("step").Text; strings.Contains(name, "hunter2") || len([]rune(name)) > 80 {
				t.Errorf("got the name %q, want it short and without what was typed", name)
			}
		}
		same(t, r)
	}
}

// same holds the file to the tree that is run directly.
func same(t *testing.T, r Recording) {
	t.Helper()
	docs, err := kind.Parse("out.yaml", r.YAML())
	if err != nil || len(docs) != 1 {
		t.Fatalf("got %d documents, %v in\n%s", len(docs), err, r.YAML())
	}
	if got, want := shape(docs[0]), shape(r.Journey); got != want {
		t.Errorf("the file says\n%s\nwant\n%s\nfile:\n%s", got, want, r.YAML())
	}
}

// shape is all of a node but its place.
func shape(n kind.Node) string {
	var b strings.Builder
	switch n.Shape {
	case kind.Null:
		return "null"
	case kind.Scalar:
		if n.Plain { // a word without quotes and a text are the same
			if v, ok := n.Value().(string); !ok || v == "" {
				return n.Text
			}
		}
		return "<" + n.Text + ">"
	case kind.List:
		for _, item := range n.Items {
			b.WriteString(shape(item) + ",")
		}
		return "[" + b.String() + "]"
	case kind.Mapping:
	}
	for _, f := range n.Fields {
		b.WriteString("<" + f.Key.Text + ">:" + shape(f.Value) + ",")
	}
	return "{" + b.String() + "}"
}

func TestRecognises(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"title": "x", "steps": []}`:                                           true,
		"\ufeff" + ` {"steps": [{"type": "navigate"}]}`:                         true,
		`{"log": {"entries": []}}`:                                              true,
		`{"name": "x", "steps": [{"step": "a", "do": [{"open": "http://x"}]}]}`: false,
		`{"name": "x", "steps": [{"journey": "a.yaml"}]}`:                       false,
		"name: x\nsteps: []\n":                                                  false,
		"{name: x, steps: []}":                                                  false,
		"":                                                                      false,
	} {
		if got := Recognises("j.yaml", []byte(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if !Recognises("r.JSON", []byte(`{"title": "x",}`)) {
		t.Error("got false for broken JSON in a file of JSON, want what is wrong with it told")
	}
}

// Whatever the bytes, there is an error with a place, or a journey that its file repeats.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*")
	for _, file := range append(files, "testdata/all.json", "testdata/shop.json") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		Recognises("r.json", text)
		r, err := Read("r.json", text)
		if err == nil {
			same(t, r)
			return
		}
		if !strings.HasPrefix(err.Error(), "r.json:") {
			t.Errorf("got %v, want a place", err)
		}
	})
}
