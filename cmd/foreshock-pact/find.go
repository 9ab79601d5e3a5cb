//go:build cgo

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/foreshock/foreshock/contracts/worker"
)

const howToGet = "get " + worker.LibraryVersion + " with scripts/setup-pact.sh, or name its place with FORESHOCK_PACT_LIB"

// open loads the library at path or, if that is empty, the first that is found.
func open(path string) (*library, *worker.Error) {
	if path != "" {
		return load(path)
	}
	places := []string{"/opt/pact/lib", "/usr/local/lib"}
	if self, err := os.Executable(); err == nil {
		dir := filepath.Dir(self)
		places = append([]string{dir, filepath.Join(dir, "..", ".tools", "pact")}, places...)
	}
	for _, dir := range places {
		file := filepath.Join(dir, "libpact_ffi.so")
		if _, err := os.Stat(file); err == nil {
			return load(file)
		}
	}
	return nil, &worker.Error{
		Kind: worker.KindTool, Want: worker.LibraryVersion,
		Message: fmt.Sprintf("libpact_ffi: got none in %s; %s", strings.Join(places, ", "), howToGet),
	}
}
