// Command foreshock watches services, hurts them on purpose, and tells what their
// users would have seen. Each command has a file of its own; this package wires and
// must never decide what a check, a fault or a verdict means.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // cron lines name time zones, and small images have none

	"github.com/foreshock/foreshock/internal/kind"
)

// Exit codes of every command but check; see docs/exit-codes.md.
const (
	exitYes     = 0
	exitNo      = 1
	exitUsage   = 2
	exitUnsure  = 3
	exitNothing = 4
	exitStopped = 5
	exitLeft    = 6
)

func main() {
	debug.SetTraceback("crash") // a crash of ours must not look like a status
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once; faults and browsers do not outlive us
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// A program is what every command gets.
type program struct {
	stdin          *os.File
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	log            *slog.Logger
	colours        bool // standard output takes them
	author         authoring
}

// A command is one word of the command line. run returns the exit code.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, p *program, args []string) int
}

func commands() []command {
	return []command{
		{"demo", "the sample shop and the whole loop: watched, shaken, judged", runDemo},
		{"serve", "run checks on schedule, with dashboard and metrics", runServe},
		{"check", "run checks once", runCheck},
		{"journey", "write a first journey file for a page", runJourney},
		{"scenario", "run, plan or validate chaos scenarios", runScenario},
		{"contract", "verify Pact contracts against a running provider", runContract},
		{"breaker", "judge the judge: breakers known to be right and to be wrong", runBreaker},
		{"fault", "list or heal the faults on this machine", runFault},
		{"report", "availability and latency from the store", runReport},
		{"import", "turn a recording of another tool into a journey file", runImport},
		{"config", "validate a configuration, or list what it can say", runConfig},
		{"doctor", "what this machine can do, and how to get what is missing", runDoctor},
		{"version", "print the version", runVersion},
	}
}

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{
		stdin: os.Stdin, stdout: stdout, stderr: stderr, env: os.LookupEnv, log: slog.New(slog.NewTextHandler(stderr, nil)),
		colours: takesColours(stdout, os.LookupEnv),
	}
	switch {
	case len(args) == 0:
		p.usage(stderr)
		return exitUsage
	case helps(args[0]):
		p.usage(stdout)
		return exitYes
	}
	return p.pick(ctx, "command", commands(), args)
}

// pick runs the command that args begins with.
func (p *program) pick(ctx context.Context, what string, cs []command, args []string) int {
	var names []string
	for _, c := range cs {
		if len(args) > 0 && c.name == args[0] {
			return c.run(ctx, p, args[1:])
		}
		names = append(names, c.name)
	}
	switch {
	case len(args) == 0:
		return p.wrong(fmt.Errorf("got no %s, want one of %s", what, strings.Join(names, ", ")))
	case helps(args[0]):
		fmt.Fprintf(p.stdout, "%s: one of %s\n", what, strings.Join(names, ", "))
		return exitYes
	}
	return p.wrong(errors.New(kind.UnknownWord(what, args[0], names)))
}

func helps(word string) bool { return word == "-h" || word == "--help" || word == "help" }

func (p *program) usage(w io.Writer) {
	fmt.Fprintf(w, "Foreshock watches services, hurts them on purpose, and tells what their users would have seen.\n\nusage: foreshock COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s  %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "\nforeshock COMMAND -h tells more of one.\n")
}

// wrong says what was wrong with the command line or the configuration.
func (p *program) wrong(err error) int {
	fmt.Fprintln(p.stderr, "foreshock:", err)
	return exitUsage
}

// unsure says why something could not be told.
func (p *program) unsure(err error) int {
	fmt.Fprintln(p.stderr, "foreshock:", err)
	return exitUnsure
}

func runVersion(_ context.Context, p *program, _ []string) int {
	fmt.Fprintln(p.stdout, "foreshock", version())
	return exitYes
}

// version is what the build says of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
