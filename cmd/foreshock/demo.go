package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/foreshock/foreshock/internal/isolate"
)

// insideWord is the hidden argument of the demo that runs in namespaces of its own.
const insideWord = "--inside"

// demoFlags are the arguments of the demo, outside and inside.
type demoFlags struct {
	exit    bool
	breaker string
	json    string
	listen  string
	inside  bool
}

func (p *program) demoFlags(args []string) (demoFlags, error) {
	var d demoFlags
	f := p.newFlags("demo", "[--exit] [--breaker=on|off] [--json FILE] [--listen HOST:PORT]")
	f.BoolVar(&d.exit, "exit", false, "end after one round, with the verdict's exit code")
	f.StringVar(&d.breaker, "breaker", "on", "`on` or off: whether the storefront has its circuit breakers")
	f.StringVar(&d.json, "json", "", "write the scenario's report as JSON to `FILE`")
	f.StringVar(&d.listen, "listen", "127.0.0.1:8440", "`address` of the dashboard; a port in use is replaced by a free one")
	f.BoolVar(&d.inside, insideWord[2:], false, "used by the demo itself")
	rest, err := f.parse(args)
	switch {
	case err != nil:
		return d, err
	case len(rest) > 0:
		return d, fmt.Errorf("demo: got %q, want flags only", rest[0])
	case d.breaker != "on" && d.breaker != "off":
		return d, fmt.Errorf("--breaker: got %q, want on or off", d.breaker)
	}
	return d, nil
}

// runDemo opens what must reach the world outside, then runs the demo itself in
// namespaces of its own: what it breaks there is nobody else's network.
func runDemo(ctx context.Context, p *program, args []string) int {
	d, err := p.demoFlags(args)
	if err != nil {
		return p.refused(err)
	}
	if d.inside {
		return p.demoInside(ctx, d)
	}
	files, err := p.demoFiles(ctx, d)
	if err != nil {
		return p.wrong(err)
	}
	fmt.Fprintf(p.stdout, "The shop, its faults and its browser live in network, process and mount namespaces of their own%s; this machine's firewall is not touched.\n\n", withoutRoot())
	code, err := isolate.Run(ctx, isolate.Command{
		Args: append([]string{"demo", insideWord}, args...), Files: files,
		Stdin: nil, Stdout: p.stdout, Stderr: p.stderr,
	})
	if err != nil {
		fmt.Fprintln(p.stderr, "foreshock: demo:", err)
		return exitUnsure
	}
	return code
}

func withoutRoot() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return ", made without root"
}

// demoFiles opens the dashboard's socket, whose address is printed before anything
// else, and the report's file.
func (p *program) demoFiles(ctx context.Context, d demoFlags) ([]*os.File, error) {
	ln, err := listenNear(ctx, d.listen)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(p.stdout, "Dashboard: http://%s/\n", ln.Addr())
	socket, err := ln.File()
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	files := []*os.File{socket}
	if err := ln.Close(); err != nil { // the file is a socket of its own
		return nil, err
	}
	if d.json != "" {
		report, err := os.Create(d.json)
		if err != nil {
			return nil, fmt.Errorf("--json: %w", err)
		}
		files = append(files, report)
	}
	return files, nil
}

// listenNear listens on the address, or on a free port of its host if the port is taken.
func listenNear(ctx context.Context, address string) (*net.TCPListener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen: got %q, want HOST:PORT", address)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		var again error
		if ln, again = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0")); again != nil {
			return nil, fmt.Errorf("--listen: %w", err)
		}
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("--listen: got a listener of type %T, want TCP", ln)
	}
	return tcp, nil
}
