// Command foreshock-pact verifies a provider against pact files with libpact_ffi, for
// foreshock, which starts one process of it a verification: a library that crashes or
// hangs takes nothing else with it. It reads one JSON request from standard input and
// writes one JSON response to standard output, whatever happens; what the library
// prints goes to standard error. It must never judge: that is foreshock's part.
//
//	foreshock-pact            one verification
//	foreshock-pact --version  which library it finds, as JSON
//
// The library is the one that the request names, or --lib, or FORESHOCK_PACT_LIB, or
// the first of those that stand beside the program or where packages put it. The exit
// code is 0 after a response without error, 2 after any other.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/contracts/worker"
)

const name = "foreshock-pact"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stderr)) }

func run(args []string, stdin io.Reader, stderr io.Writer) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	lib := flags.String("lib", os.Getenv("FORESHOCK_PACT_LIB"), "path of libpact_ffi.so")
	only := flags.Bool("version", false, "print which library is found, as JSON")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	// The library reads this when it is loaded and when it verifies: nobody is told.
	if err := os.Setenv("PACT_DO_NOT_TRACK", "true"); err != nil {
		fmt.Fprintln(stderr, name+":", err)
		return 2
	}
	stdout, err := reserveStdout()
	if err != nil {
		fmt.Fprintln(stderr, name+":", err)
		return 2
	}
	var res worker.Response
	if *only {
		res = probe(*lib)
	} else {
		res = answer(stdin, *lib)
	}
	if err := json.NewEncoder(stdout).Encode(res); err != nil {
		fmt.Fprintln(stderr, name+": cannot write the response:", err)
		return 2
	}
	if res.Error != nil {
		return 2
	}
	return 0
}

// reserveStdout returns the standard output, and points the descriptor that the
// library prints to at standard error.
func reserveStdout() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(unix.Stdout), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("standard output: %w", err)
	}
	if err := unix.Dup3(unix.Stderr, unix.Stdout, 0); err != nil {
		return nil, fmt.Errorf("standard output: %w", err)
	}
	return os.NewFile(uintptr(fd), "response"), nil
}

func probe(path string) worker.Response {
	l, err := open(path)
	if err != nil {
		return worker.Response{Error: err}
	}
	return worker.Response{Library: l.at}
}

func answer(stdin io.Reader, path string) worker.Response {
	var req worker.Request
	d := json.NewDecoder(stdin)
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return worker.Response{Error: &worker.Error{
			Kind: worker.KindRequest, Message: fmt.Sprintf("request: want one JSON object on standard input: %v", err),
		}}
	}
	if req.Library != "" {
		path = req.Library
	}
	l, err := open(path)
	if err != nil {
		return worker.Response{Error: err}
	}
	res := worker.Response{Library: l.at}
	for _, f := range req.Files {
		res.Pacts = append(res.Pacts, l.verify(req, f))
	}
	return res
}
