package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/foreshock/foreshock/internal/pause"
)

// vital are programs that a host cannot do without, by the name that the kernel has of
// them, and the word that overrides it.
func vital() map[string]string {
	return map[string]string{
		"sshd": RefuseSSH, "sshd-session": RefuseSSH, "sshd-auth": RefuseSSH, "dropbear": RefuseSSH,
		"systemd-resolve": RefuseDNS, "foreshock": RefuseOwn,
		"systemd": RefuseEverything, "systemd-journal": RefuseEverything, "systemd-logind": RefuseEverything,
		"dbus-daemon": RefuseEverything, "dbus-broker": RefuseEverything,
	}
}

// checkProcesses is Check for a fault that acts on processes. What has no override is
// refused as they are looked for.
func (g Guard) checkProcesses(ctx context.Context, f onProcesses, o Options) error {
	aimed, err := f.aim(ctx)
	if err != nil {
		return fmt.Errorf("%s %s: %w", f.Kind(), f.Target(), err)
	}
	defer aimed.Close()
	found, err := aimed.Processes()
	if err != nil {
		return fmt.Errorf("%s %s: %w", f.Kind(), f.Target(), err)
	}
	needs := func(word, why string) look {
		return look{word, func() (string, error) {
			for _, p := range found {
				needed, err := neededFor(p)
				if err != nil || needed == word {
					return fmt.Sprintf("would %s %s, %s", f.Kind(), p, why), err
				}
			}
			return "", nil
		}}
	}
	return g.refusals([]look{
		needs(RefuseEverything, "on which everything else on this host hangs"),
		needs(RefuseSSH, "which may be your way to this host"),
		needs(RefuseOwn, "which is Foreshock itself"),
		needs(RefuseDNS, "this host's own resolver"),
		{RefuseHeld, func() (string, error) { return heldBy(ctx, found, o.Run) }},
		{RefuseLong, func() (string, error) { return g.long(o.Until), nil }},
	})
}

// neededFor is the word that overrides that a process is refused, or empty.
func neededFor(p pause.Process) (string, error) {
	if word := vital()[p.Name]; word != "" {
		return word, nil
	}
	ours, err := os.Stat("/proc/self/exe")
	if err != nil {
		return "", err
	}
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", p.PID))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return "", nil // it has just ended, or is another user's, and will be refused as that
	case err != nil:
		return "", err
	case os.SameFile(ours, theirs):
		return RefuseOwn, nil
	}
	return "", nil
}

// heldBy looks for a pause of another run that holds one of the processes.
func heldBy(ctx context.Context, found []pause.Process, run string) (string, error) {
	list, err := pause.List(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range list {
		same := func(p pause.Process) bool {
			return slices.ContainsFunc(found, func(q pause.Process) bool { return q.PID == p.PID })
		}
		if a.Run != run && slices.ContainsFunc(a.Processes, same) {
			return fmt.Sprintf("run %s holds the same processes (pause of %s)", cmp.Or(a.Run, "unknown"), a.Target), nil
		}
	}
	return "", nil
}
