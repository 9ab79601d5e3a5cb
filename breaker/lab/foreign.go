package lab

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed services/service.mjs
var nodeService []byte

//go:embed services/service.py
var pythonService []byte

// setUp is what puts the tools of other languages in place.
const setUp = "scripts/setup-lab.sh says what is missing and gets what it can"

// foreign is the command line of a service that is not in Go.

// script runs one of the lab's own sources by an interpreter.
func (b *Bench) script(interpreter, name string, source []byte, settings string) (line, env []string, err error) {
	bin, err := exec.LookPath(interpreter)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; %s", err, setUp)
	}
	file := filepath.Join(b.Dir, name)
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return nil, nil, err
	}
	return []string{bin, file, settings}, []string{"LAB_TOOLS=" + b.Tools}, nil
}
