// Package sakuli runs the test suites of Sakuli, versions 1 and 2, in the browser of
// package journeys: their JavaScript, their suite files and properties, and their
// thresholds. It must never let that JavaScript reach more than the page, the suite's
// own directory and the variables it was given, never blame the service for a mistake
// in it, and never go on when the check's time is over.
package sakuli

import (
	"log/slog"
	"os"
	"path/filepath"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

const suiteFile = "testsuite.suite"

// Format makes journey checks of Sakuli suites: of a .suite file, or of a directory
// that holds a testsuite.suite. What the suites log goes to log.
func Format(pool *journeys.Pool, log *slog.Logger) journeys.Format {
	return journeys.Format{
		Claims: claims,
		Load: func(path string, vars *kind.Vars, given map[string]string, keep journeys.Evidence) (results.Check, error) {
			s, err := Load(path, vars, given, log)
			if err != nil {
				return nil, err
			}
			return NewCheck(s, pool, keep, log), nil
		},
	}
}

func claims(path string) bool {
	if filepath.Ext(path) == ".suite" {
		return true
	}
	_, err := os.Stat(filepath.Join(path, suiteFile))
	return err == nil
}
