package journeys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type upload struct {
	Into  Selector    `yaml:"into"`
	Files []kind.Path `yaml:"files"`
}

func uploadKind() kind.Kind[Action] {
	return kind.Of("upload", "chooses files in a field for files; paths start at the journey file",
		"into: {label: Photo}\nfiles: [mug.png]\n", upload{},
		func(s upload) (Action, error) {
			if len(s.Files) == 0 {
				return nil, kind.At("files", errors.New("got none, want the path of at least one file"))
			}
			return s, s.Into.required("into")
		})
}

// String implements [Action].
func (a upload) String() string {
	names := make([]string, len(a.Files))
	for i, f := range a.Files {
		names[i] = filepath.Base(string(f))
	}
	return "upload " + strings.Join(names, ", ") + " into " + a.Into.String()
}

// Do implements [Action]. The field may be hidden, as those behind a styled button are.
// A file that cannot be read is unknown: it says nothing of the service.
func (a upload) Do(ctx context.Context, p *Page, _ *results.Span) error {
	files := make([]string, len(a.Files))
	for i, f := range a.Files {
		if _, err := os.Stat(string(f)); err != nil {
			return results.Blind(results.CauseInternal, fmt.Errorf("the file to upload: %w", err))
		}
		path, err := filepath.Abs(string(f))
		if err != nil {
			return results.Blind(results.CauseInternal, fmt.Errorf("the file to upload: %w", err))
		}
		files[i] = path
	}
	q := query{Selector: a.Into, Op: opFiles, Arg: strconv.Itoa(len(files))}
	at, err := p.await(ctx, q)
	if err != nil {
		return err
	}
	q.Op = opElement
	field, err := p.element(ctx, q, at.frame)
	if err != nil {
		return err
	}
	return p.settle(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, ObjectID: field.ObjectID})
		return err
	}))
}
