package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"github.com/foreshock/foreshock/faults"
)

// auditDefault is where faults by hand are written down; who may not write there names
// a file.
const auditDefault = "/var/log/foreshock/audit.jsonl"

// openAudit opens the audit for appending. Whoever injects a fault must have one.
func (p *program) openAudit(path string) (*faults.Audit, func(), error) {
	if path == "" {
		path = auditDefault
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrPermission) { //nolint:gosec // others may read the log's place
			return nil, nil, fmt.Errorf("audit: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640) //nolint:gosec // the operator names the file, whose group may read
	if err != nil {
		return nil, nil, fmt.Errorf("audit: %w (name a file that you may write: --audit FILE)", err)
	}
	who := faults.Who{UID: os.Getuid()}
	if u, err := user.Current(); err == nil {
		who.User = u.Username
	}
	if name, ok := p.env("SUDO_USER"); ok {
		who.User = name
	}
	who.From, _ = p.env("SSH_CONNECTION")
	who.Host, _ = os.Hostname()
	return faults.NewAudit(file, who), func() { _ = file.Close() }, nil
}

// auditIfPossible is openAudit for healing, which nothing may keep from.
func (p *program) auditIfPossible(path string) (*faults.Audit, func()) {
	audit, done, err := p.openAudit(path)
	if err != nil {
		fmt.Fprintln(p.stderr, "foreshock:", err)
		return nil, func() {}
	}
	return audit, done
}
