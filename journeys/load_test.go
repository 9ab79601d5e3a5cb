package journeys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/proof"
)

// Each file of testdata/bad ends with a comment that holds the exact message.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			body, _, ok := strings.Cut(string(text), "# want: ")
			if !ok {
				t.Fatal("the file does not say which message it wants")
			}
			_, err = Load(file, testVars("testdata/bad"), nil)
			if err == nil {
				t.Fatal("got no error")
			}
			proof.Golden(t, file, body+"# want: "+strings.TrimPrefix(err.Error(), "testdata/bad/")+"\n")
		})
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, k := range Actions() {
		if _, err := Actions().BuildText(k.Name, k.Example); err != nil {
			t.Errorf("example of %s: %v", k.Name, err)
		}
	}
	vars := testVars("../examples/shop")
	vars.Env = func(name string) (string, bool) { return "http://127.0.0.1:1", name == "SHOP_URL" }
	kinds := Kinds(nil, "../examples/shop", vars)
	c, err := kinds.BuildText(kinds[0].Name, kinds[0].Example)
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Error("got no check")
	}
}

func TestVars(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "j.yaml")
	text := `vars: {base: "${env:SHOP}", start: "${base}/in", key: "${file:key}"}
steps: [{step: go, do: [{open: "${start}"}, {see: "paid with ${key} for $$5 by ${who}"}]}]
`
	for name, text := range map[string]string{path: text, filepath.Join(dir, "key"): "s3cret!\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	vars := testVars("/nowhere")
	vars.Named = map[string]string{"who": "Ada"}
	vars.Env = func(string) (string, bool) { return "http://shop", true }
	j, err := Load(path, vars, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := j.steps[0].do[0].name, "open http://shop/in"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := j.steps[0].do[1].name, `see "paid with *** for $5 by Ada"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if j.Name != "j" {
		t.Errorf("got name %q, want the file's", j.Name)
	}
	if len(vars.Named) != 1 {
		t.Errorf("got %v, want the caller's variables untouched", vars.Named)
	}
	j, err = Load(path, vars, map[string]string{"base": "http://other"})
	if err != nil || j.steps[0].do[0].name != "open http://other/in" {
		t.Errorf("got %v, want the given base in %q", err, j.steps[0].do[0].name)
	}
	_, err = Load(path, vars, map[string]string{"bse": "x"})
	if err == nil || !strings.Contains(err.Error(), `j.yaml:1:8: unknown variable "bse"; did you mean "base"?`) {
		t.Errorf("got %v, want the nearest variable", err)
	}
}

func TestKindSaysWhere(t *testing.T) {
	t.Parallel()
	kinds := Kinds(nil, "testdata/bad", testVars(""))
	_, err := kinds.BuildText("journey", "file: action.yaml")
	var placed *kind.Error
	if !errors.As(err, &placed) || placed.File != "testdata/bad/action.yaml" || placed.Line != 4 {
		t.Errorf("got %v, want the place in the journey file", err)
	}
	for text, want := range map[string]string{
		"file: none.yaml": "journey:1:7: file: open testdata/bad/none.yaml: no such file or directory",
		"{}":              "file: got none, want the path of a journey file",
		"fiel: x":         `unknown key "fiel"; did you mean "file"?`,
	} {
		if _, err := kinds.BuildText("journey", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
