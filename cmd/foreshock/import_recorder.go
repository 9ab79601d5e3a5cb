package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/journeys/recorder"
)

func importRecorder(_ context.Context, p *program, args []string) int {
	return p.importFile("recorder", "journey", args, func(file string, text []byte) (imported, error) {
		r, err := recorder.Read(file, text)
		if err != nil {
			return imported{}, err
		}
		// What only the actions themselves know, such as the names of keys, is told here too.
		vars := &kind.Vars{Dir: filepath.Dir(file), Env: p.env, Secrets: &kind.Secrets{}}
		if _, err := journeys.Load(file, vars, nil); err != nil {
			return imported{}, err
		}
		out := imported{text: fmt.Appendf(nil, "# Imported from %q, a recording of the Chrome DevTools Recorder.\n%s", filepath.Base(file), r.YAML())}
		for _, w := range r.Warnings {
			out.warnings = append(out.warnings, w.String())
		}
		return out, nil
	})
}
