package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"github.com/foreshock/foreshock/faults"
)

// auditDefault is where faults are written down; who may not write there names a file.
const auditDefault = "/var/log/foreshock/audit.jsonl"

// auditFlag is the flag of the commands that inject or heal.
func (f *flags) auditFlag() *string {
	return f.String("audit", "", "append to this `FILE` who did what to whom (default "+auditDefault+")")
}

// openAudit returns the audit once it is sure that it can be written. Whoever injects a
// fault must have one.
func (p *program) openAudit(path string) (*faults.Audit, error) {
	if _, err := auditFile(path).Write(nil); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return p.auditTo(path), nil
}

func (p *program) auditTo(path string) *faults.Audit {
	who := faults.Who{UID: os.Getuid()}
	if u, err := user.Current(); err == nil {
		who.User = u.Username
	}
	if name, ok := p.env("SUDO_USER"); ok {
		who.User = name
	}
	who.From, _ = p.env("SSH_CONNECTION")
	who.Host, _ = os.Hostname()
	return faults.NewAudit(auditFile(path), who)
}

// auditIfPossible is openAudit for healing, which nothing may keep from.
func (p *program) auditIfPossible(path string) *faults.Audit {
	audit, err := p.openAudit(path)
	if err != nil {
		fmt.Fprintln(p.stderr, "foreshock:", err)
	}
	return audit
}

// An auditFile is opened for each line, so that a process which lives for weeks
// follows it when it is rotated. The empty one is auditDefault.
type auditFile string

// Write appends b, and makes the file if it is not there.
func (f auditFile) Write(b []byte) (int, error) {
	path := cmp.Or(string(f), auditDefault)
	if f == "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrPermission) { //nolint:gosec // others may read the log's place
			return 0, err
		}
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640) //nolint:gosec // the operator names the file, whose group may read
	if err != nil {
		return 0, fmt.Errorf("%w (name a file that you may write: --audit FILE)", err)
	}
	n, err := file.Write(b)
	return n, errors.Join(err, file.Close())
}

// An audited injector of a scenario refuses what it could not write down.
type audited struct {
	faults.Injector
	open func() (*faults.Audit, error)
}

// Install implements scenarios.Injector.
func (in *audited) Install(ctx context.Context, f faults.Fault, o faults.Options) (faults.Injection, error) { //nolint:ireturn // as faults.Injector has it
	audit, err := in.open()
	if err != nil {
		return nil, err
	}
	one := in.Injector
	one.Audit = audit
	return one.Install(ctx, f, o)
}
