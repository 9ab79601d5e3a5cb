package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// emptyFile makes the file at path, or empties it: what cannot be written is known
// before anything starts, and nobody takes an old report for a new one. An empty path
// is no file.
func emptyFile(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	return f.Close()
}

// toFile writes to the file at path; an empty path writes nothing.
func toFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return replaceFile(path, b.Bytes())
}

// replaceFile writes b to the file at path in one step: whoever reads it finds what was
// there before or all of b. What is no plain file, such as /dev/stdout, is written to.
func replaceFile(path string, b []byte) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return os.WriteFile(path, b, 0o600)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil { // only the file is ours, not its directory
		return os.WriteFile(path, b, 0o600)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
