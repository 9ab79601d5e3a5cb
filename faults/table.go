package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-iptables/iptables"

	"github.com/foreshock/foreshock/results"
)

const (
	filter = "filter"

	// lockLimit is how many seconds one command waits for the lock of the tables.
	lockLimit = 5
)

// A table is the filter table of one family in one namespace: iptables-restore writes
// it and lists it, the same with both backends and under their lock, and go-iptables mends it.
type table struct {
	family Family
	space  *space
	path   string
	second bool       // of the backend that the Injector does not write to
	mu     sync.Mutex // one command at a time, also when a caller did not wait for the last
}

func (in *Injector) table(sp *space, family Family) (*table, error) {
	command := "iptables"
	if family == IPv6 {
		command = "ip6tables"
	}
	if in.Suffix != "" {
		command += "-" + in.Suffix
	}
	path, err := find(command)
	if err != nil {
		return nil, results.Blind(results.CauseTool, fmt.Errorf("%s is not installed (Debian: apt-get install iptables): %w", command, err))
	}
	return &table{family: family, space: sp, path: path}, nil
}

// tool is go-iptables for the table: for what is one rule or one chain.
func (t *table) tool(ctx context.Context) (*iptables.IPTables, error) {
	protocol := iptables.ProtocolIPv4
	if t.family == IPv6 {
		protocol = iptables.ProtocolIPv6
	}
	var tool *iptables.IPTables
	err := t.run(ctx, func() (err error) {
		tool, err = iptables.New(iptables.IPFamily(protocol), iptables.Path(t.path), iptables.Timeout(lockLimit))
		return err
	})
	return tool, err
}

// find also looks where an ordinary user's PATH does not.
func find(command string) (string, error) {
	path, err := exec.LookPath(command)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, aerr := exec.LookPath(filepath.Join(dir, command)); aerr == nil {
			return path, nil
		}
	}
	return "", err
}

// run runs one command. It returns when ctx ends; the command then still ends
// before the next one starts.
func (t *table) run(ctx context.Context, command func() error) error {
	return t.space.do(ctx, func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		return blind(command())
	})
}

// blind marks what iptables could not do as ours, never the target's fault.
func blind(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, results.ErrUnknown) {
		return err
	}
	if strings.Contains(err.Error(), "xtables.lock") {
		return results.Blind(results.CausePermission, fmt.Errorf("%w (iptables-legacy wants its lock: set XTABLES_LOCKFILE to a file you may write, or use iptables-nft)", err))
	}
	for _, sign := range []string{"you must be root", "Permission denied", "Operation not permitted"} {
		if strings.Contains(err.Error(), sign) {
			return results.Blind(results.CausePermission, fmt.Errorf("%w (needs CAP_NET_ADMIN: run as root, or in a namespace of your own: unshare -Urn)", err))
		}
	}
	return results.Blind(results.CauseTool, err)
}

// read lists some chains with their rules and counters, or, where one of them is not
// there or none was named, all of the table. iptables-save would list all, and without
// the lock, under which the older backend takes counters away for a moment.
func (t *table) read(ctx context.Context, chains ...string) (ruleset, error) {
	tx := &transaction{}
	for _, name := range chains {
		tx.list(name)
	}
	if len(chains) == 0 {
		tx.list("")
	}
	out, err := t.feed(ctx, tx)
	if err != nil && len(chains) > 0 && ctx.Err() == nil {
		return t.read(ctx)
	}
	if err != nil {
		return ruleset{}, err
	}
	s, err := parseListing(out)
	return s, blind(err)
}

// removeTries is how often a removal starts anew because others changed the rules meanwhile.
const removeTries = 3

// remove takes away the chains of ours that begin with chain and whatever leads to
// them, by exact rule and in one transaction. It is the one road on which rules go,
// and a chain that is not there is no error.
func (t *table) remove(ctx context.Context, chain string) error {
	var err error
	for range removeTries {
		var s ruleset
		if s, err = t.read(ctx); err != nil {
			return err
		}
		tx := s.removal(chain)
		if len(tx.lines) == 0 {
			return nil
		}
		if err = t.restore(ctx, tx); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return errors.Join(fmt.Errorf("remove %s: %w", chain, err), t.removeSingly(ctx, chain))
}

// removal is what undoes an installation.
func (s ruleset) removal(chain string) *transaction {
	tx := &transaction{}
	ours := func(name string) bool { return slices.Contains(chainsOf(chain), name) }
	for _, r := range s.rules {
		if ours(r.after("-j")) && !ours(r.chain) {
			tx.add("-D", r.chain, r.args)
		}
	}
	for _, verb := range []string{"-F", "-X"} {
		for _, name := range chainsOf(chain) { // the first leads to the others
			if slices.Contains(s.chains, name) {
				tx.add(verb, name, nil)
			}
		}
	}
	return tx
}

// removeSingly does what can be done where a transaction fails as a whole.
func (t *table) removeSingly(ctx context.Context, chain string) error {
	s, err := t.read(ctx)
	if err != nil {
		return err
	}
	tool, err := t.tool(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range s.rules {
		if r.after("-j") != chain {
			continue
		}
		err := t.run(ctx, func() error { return tool.Delete(filter, r.chain, r.args...) })
		if err != nil && !gone(err) {
			errs = append(errs, fmt.Errorf("remove the jump from %s to %s: %w", r.chain, chain, err))
		}
	}
	for _, name := range chainsOf(chain) {
		if !slices.Contains(s.chains, name) {
			continue
		}
		err := t.run(ctx, func() error { return tool.ClearAndDeleteChain(filter, name) })
		if err != nil && !gone(err) {
			errs = append(errs, fmt.Errorf("remove chain %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// gone says that somebody else removed it first.
func gone(err error) bool {
	var e *iptables.Error
	return errors.As(err, &e) && e.IsNotExist() || errors.Is(err, fs.ErrNotExist)
}
