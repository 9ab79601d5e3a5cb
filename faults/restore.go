package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A transaction is lines for iptables-restore, which the kernel takes all or none.
type transaction struct{ lines []string }

func (tx *transaction) chain(name string) { tx.lines = append(tx.lines, ":"+name+" - [0:0]") }
func (tx *transaction) add(verb, chain string, args []string) {
	tx.lines = append(tx.lines, quoted(verb, chain, args))
}

// list prints a chain with its rules and their counters; "" is all chains.
func (tx *transaction) list(chain string) {
	tx.lines = append(tx.lines, strings.TrimSpace("-v -S "+chain))
}

// insert puts a rule first: behind a usual ESTABLISHED -j ACCEPT it would never be met.
func (tx *transaction) insert(chain string, args []string) { tx.add("-I", chain+" 1", args) }

// text is what iptables-restore reads; line n of the transaction is its line n+2.
func (tx *transaction) text() string {
	return "*" + filter + "\n" + strings.Join(tx.lines, "\n") + "\nCOMMIT\n"
}

// quoted writes a rule as iptables prints it: no argument can end the line or begin another.
func quoted(verb, chain string, args []string) string {
	var b strings.Builder
	b.WriteString(verb + " " + chain)
	for _, a := range args {
		b.WriteByte(' ')
		if a == "" || strings.ContainsAny(a, " \t\"'\\") {
			a = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a) + `"`
		}
		b.WriteString(strings.NewReplacer("\n", " ", "\r", " ").Replace(a))
	}
	return b.String()
}

// batch is how many lines a socket of the usual size takes.
const batch = 200

// errTooLong is of a transaction beyond the socket's buffer, which only the machine's
// own administrator may exceed (net.core.wmem_max), not that of a user namespace.
var errTooLong = errors.New("message too long")

// install commits a transaction with one program run, however many rules it has; where
// the kernel takes no message so long, in several. The last one holds the jumps: until
// then no packet comes by.
func (t *table) install(ctx context.Context, tx *transaction, jumps int) error {
	err := t.restore(ctx, tx)
	if !errors.Is(err, errTooLong) {
		return err
	}
	rules := len(tx.lines) - jumps
	for at := 0; at < rules; at += batch {
		if err := t.restore(ctx, &transaction{tx.lines[at:min(at+batch, rules)]}); err != nil {
			return err
		}
	}
	return t.restore(ctx, &transaction{tx.lines[rules:]})
}

// restore commits a transaction.
func (t *table) restore(ctx context.Context, tx *transaction) error {
	_, err := t.feed(ctx, tx)
	return err
}

// mercy is how long a command may still run when nobody waits for it. The older backend
// takes away the counters of all rules and gives them back a moment later: killed in
// between, it leaves everybody's at nothing. What runs longer waits for the lock.
const mercy = 2 * time.Second

// feed runs iptables-restore, which takes what changes a table and what lists it, and
// returns what it printed.
func (t *table) feed(ctx context.Context, tx *transaction) (string, error) {
	var out, stderr bytes.Buffer
	err := t.run(ctx, func() error {
		c := exec.CommandContext(ctx, t.path+"-restore", "--noflush", "--wait", strconv.Itoa(lockLimit)) //nolint:gosec // beside the iptables that was found
		c.Stdin, c.Stdout, c.Stderr = strings.NewReader(tx.text()), &out, &stderr
		c.Cancel, c.WaitDelay = func() error { return nil }, mercy
		err := c.Run()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		return t.explainRestore(tx, stderr.String(), err)
	})
	if err != nil { // the command may still write then
		return "", err
	}
	return out.String(), nil
}

var failedLine = regexp.MustCompile(`line:? (\d+)`)

func (t *table) explainRestore(tx *transaction, said string, err error) error {
	exit, _ := errors.AsType[*exec.ExitError](err)
	if strings.Contains(said, "xtables lock") && exit != nil && exit.ExitCode() == lockExit {
		return results.Blind(results.CauseTool, fmt.Errorf(
			"%w: another program has held the xtables lock (/run/xtables.lock, or XTABLES_LOCKFILE) for %d s: see who: lsof /run/xtables.lock", errLocked, lockLimit))
	}
	if strings.Contains(said, "is incompatible") {
		return fmt.Errorf("%w: %s", errIncompatible, strings.TrimSpace(said))
	}
	if strings.Contains(said, "Message too long") {
		return fmt.Errorf("%s-restore: %w", t.path, errTooLong)
	}
	err = fmt.Errorf("%s-restore: %w: %s", t.path, err, strings.TrimSpace(said))
	if m := failedLine.FindStringSubmatch(said); m != nil {
		rule := "" // of a transaction that failed as a whole
		if n, _ := strconv.Atoi(m[1]); n >= 2 && n-2 < len(tx.lines) {
			rule = tx.lines[n-2]
		}
		return &refusedError{rule, err}
	}
	return err
}

// refusedError is of a rule that the kernel or iptables did not take.
type refusedError struct {
	rule string // empty if it is not known which
	err  error
}

func (e *refusedError) Error() string {
	if e.rule == "" {
		return fmt.Sprintf("a rule was refused: %v", e.err)
	}
	return fmt.Sprintf("rule %q refused: %v", e.rule, e.err)
}
func (e *refusedError) Unwrap() error { return e.err }

// lockExit is what iptables exits with when it waited in vain.
const lockExit = 4

var errLocked = errors.New("no rule was changed")
