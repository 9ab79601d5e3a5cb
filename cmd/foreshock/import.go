package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// importers read what other tools wrote; each has a file of its own.
func importers() []command {
	return []command{
		{"recorder", "a recording of the Chrome DevTools Recorder", importRecorder},
	}
}

func runImport(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "importer", importers(), args)
}

// An imported is what an importer made of a file.
type imported struct {
	text     []byte   // of the file to write
	warnings []string // with their places
}

// importFile reads a file with read, prints its warnings and writes what it became:
// to standard output, or to a new file.
func (p *program) importFile(name, what string, args []string, read func(file string, text []byte) (imported, error)) int {
	f := p.newFlags("import "+name, "FILE [-o FILE]")
	var output string
	f.StringVar(&output, "o", "", "write the "+what+" to a new `FILE` instead of standard output")
	f.note = "Warnings go to standard error. What the file held is imported as it is: nothing is replaced."
	rest, err := f.parse(args)
	if err != nil {
		return p.refused(err)
	}
	if len(rest) != 1 {
		return p.wrong(fmt.Errorf("import %s: got %d files, want one", name, len(rest)))
	}
	text, err := os.ReadFile(rest[0])
	if err != nil {
		return p.wrong(err)
	}
	out, err := read(filepath.Clean(rest[0]), text)
	if err != nil {
		return p.wrong(err)
	}
	for _, w := range out.warnings {
		fmt.Fprintln(p.stderr, "warning:", w)
	}
	if output == "" {
		if _, err := p.stdout.Write(out.text); err != nil {
			return p.wrong(err)
		}
		return exitYes
	}
	if err := newFile(output, out.text); err != nil {
		return p.wrong(err)
	}
	return exitYes
}

// newFile writes a file that was not there: someone may have gone on from an import of
// before. Only its owner may read it, for it may hold what somebody typed.
func newFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names the file
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: exists already; name another file, or remove it", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
