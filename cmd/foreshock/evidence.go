package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// resultFile is the one file that every directory of evidence has; by it we know our own.
const resultFile = "result.json"

// evidenceDirs makes a directory for each check below dir, and empties those of an
// earlier run: nobody takes old evidence for new. An empty dir is none.
func evidenceDirs(dir string, checks []string) error {
	if dir == "" {
		return nil
	}
	for _, name := range checks {
		if err := evidenceDir(filepath.Join(dir, fileName(name))); err != nil {
			return fmt.Errorf("--evidence: %w", err)
		}
	}
	return nil
}

func evidenceDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, resultFile)); err != nil && len(old) > 0 {
		return fmt.Errorf("%s: got a directory with other files in it, want an empty one, or one of an earlier run", dir)
	}
	for _, e := range old {
		if e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(err, os.WriteFile(filepath.Join(dir, resultFile), nil, 0o600))
}

// writeEvidence writes each result and what was kept with it into the directory of its check.
func writeEvidence(dir string, found []results.Result) error {
	if dir == "" {
		return nil
	}
	var errs []error
	for _, r := range found {
		in := filepath.Join(dir, fileName(r.Check))
		text, err := json.MarshalIndent(r, "", "  ")
		if err == nil {
			err = os.WriteFile(filepath.Join(in, resultFile), append(text, '\n'), 0o600)
		}
		errs = append(errs, err)
		taken := map[string]int{resultFile: 1}
		for _, s := range r.Steps {
			for _, a := range s.Artifacts {
				errs = append(errs, os.WriteFile(filepath.Join(in, artifactFile(a, taken)), a.Data, 0o600))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("--evidence: %w", err)
	}
	return nil
}

// artifactFile is a name that is not taken yet. Of several frames of a film, and other
// things of one name, each has its number.
func artifactFile(a results.Artifact, taken map[string]int) string {
	base := fileName(a.Name)
	ext := filepath.Ext(base)
	if ext == "" || strings.HasPrefix(a.MediaType, "image/") {
		ext = extension(a.MediaType)
	}
	base = strings.TrimSuffix(base, ext)
	taken[base+ext]++
	if n := taken[base+ext]; n > 1 || a.Name == "film" {
		return fmt.Sprintf("%s-%02d%s", base, n, ext)
	}
	return base + ext
}

func extension(mediaType string) string {
	base, _, _ := mime.ParseMediaType(mediaType) // what it cannot read has no suffix
	return map[string]string{
		"image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt", "text/html": ".html", "application/json": ".json",
	}[base]
}

// fileName makes of a name one that every file system takes, and that stays in its directory.
func fileName(name string) string {
	safe := func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}
	name = strings.TrimLeft(strings.Map(safe, name), ".")
	return cmp.Or(name[:min(len(name), 100)], "unnamed")
}
