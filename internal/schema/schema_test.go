package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
)

// Comments are those of the source.
func TestComments(t *testing.T) {
	t.Parallel()
	var lines []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "tools" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		lines = append(lines, commentsIn(file)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) < 100 {
		t.Errorf("got %d comments beside settings, want at least 100", len(lines))
	}
	proof.Golden(t, "comments.txt", strings.Join(lines, "\n")+"\n")
}

// commentsIn returns a line for each field with a key and a comment.
func commentsIn(file *ast.File) (lines []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		body, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range body.Fields.List {
			if f.Tag == nil {
				continue
			}
			tag, err := strconv.Unquote(f.Tag.Value)
			key, _, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ",")
			text := strings.Join(strings.Fields(f.Comment.Text()), " ")
			if text == "" {
				text = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
			if err == nil && key != "" && key != "-" && text != "" {
				lines = append(lines, file.Name.Name+"."+spec.Name.Name+"."+key+" "+text)
			}
		}
		return true
	})
	return lines
}
