package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/scenarios"
	"github.com/foreshock/foreshock/scenarios/page"
)

// insideWord is the hidden first argument of a command that runs in namespaces of its own.
const insideWord = "--inside"

// demoFlags are the arguments of the demo, outside and inside.
type demoFlags struct {
	exit    bool
	breaker string
	html    string
	json    string
	listen  string
}

func (p *program) demoFlags(args []string) (demoFlags, error) {
	var d demoFlags
	f := p.newFlags("demo", "[--exit] [--breaker=on|off] [--report FILE] [--json FILE] [--listen HOST:PORT]")
	f.BoolVar(&d.exit, "exit", false, "end after one round")
	f.StringVar(&d.breaker, "breaker", "on", "`on|off`: whether the storefront has its circuit breakers")
	f.StringVar(&d.html, "report", "", "write the scenario's report as one HTML page to `FILE`")
	f.StringVar(&d.json, "json", "", "write the scenario's report as JSON to `FILE`")
	f.StringVar(&d.listen, "listen", config.DefaultListen, "`HOST:PORT` of the dashboard; if the port is taken, a free one")
	f.note = "The exit code is the verdict's: 0 pass, 1 fail, 3 could not tell. Without --exit the\n" +
		"demo stays until Ctrl-C, and ends with it all the same. Ctrl-C before the verdict ends with 5."
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

func runDemo(ctx context.Context, p *program, args []string) int {
	inside := len(args) > 0 && args[0] == insideWord
	if inside {
		args = args[1:]
	}
	d, err := p.demoFlags(args)
	switch {
	case err != nil:
		return p.refused(err)
	case inside:
		return p.demoInside(ctx, d)
	}
	return p.demoOutside(ctx, d, args)
}

// demoOutside opens what must reach the world outside, then runs the demo itself in
// namespaces of its own: what it breaks there is nobody else's network.
func (p *program) demoOutside(ctx context.Context, d demoFlags, args []string) int {
	if _, err := beside("shop"); err != nil {
		return p.unsure(err)
	}
	for name, path := range map[string]string{"--report": d.html, "--json": d.json} {
		if err := emptyFile(path); err != nil {
			return p.wrong(fmt.Errorf("%s: %w", name, err))
		}
	}
	socket, address, err := listenNear(ctx, d.listen)
	if err != nil {
		return p.wrong(err)
	}
	inner, reported, err := takeReport(d)
	if err != nil {
		return p.wrong(errors.Join(err, socket.Close()))
	}
	p.say("Dashboard: http://%s/\n", address)
	code, err := isolate.Run(ctx, isolate.Command{
		Args: append([]string{"demo", insideWord}, args...), Files: []*os.File{socket, inner},
		Stdout: p.stdout, Stderr: p.stderr,
	})
	if err != nil {
		code = p.unsure(fmt.Errorf("demo: %w", err))
	}
	if err := <-reported; err != nil {
		return worst([]int{code, p.wrong(fmt.Errorf("report: %w", err))})
	}
	return code
}

// listenNear listens on the address, or on a free port of its host if the port is
// taken. The socket is to be handed over; address is where it listens.
func listenNear(ctx context.Context, want string) (socket *os.File, address string, err error) {
	host, _, err := net.SplitHostPort(want)
	if err != nil {
		return nil, "", fmt.Errorf("--listen: got %q, want HOST:PORT", want)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", want)
	if err != nil {
		var again error
		if ln, again = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0")); again != nil {
			return nil, "", fmt.Errorf("--listen: %w", err)
		}
	}
	defer func() { _ = ln.Close() }() // the file is a socket of its own
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return nil, "", fmt.Errorf("--listen: got a listener of type %T, want TCP", ln)
	}
	socket, err = tcp.File()
	return socket, reachable(tcp.Addr()), err
}

// reachable is the address as others may type it: of all of this machine's it is the
// one of its name.
func reachable(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	host, err := os.Hostname()
	if !ok || err != nil || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// takeReport returns the file through which the inner demo hands out its report, since
// a path may mean another file inside. Once the inner demo has closed it, the report is
// written to the files that d names, and the channel tells how that went.
func takeReport(d demoFlags) (inner *os.File, written <-chan error, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	done := make(chan error, 1)
	go func() {
		defer func() { _ = r.Close() }()
		b, err := io.ReadAll(r)
		if err == nil && len(b) > 0 {
			err = writeReport(d, b)
		}
		done <- err
	}()
	return w, done, nil
}

// writeReport writes a report, which is JSON, to the files that d names; an empty path
// is none.
func writeReport(d demoFlags, b []byte) error {
	report := &scenarios.Report{}
	if err := json.Unmarshal(b, report); err != nil {
		return fmt.Errorf("the demo died while it told its report: %w", err)
	}
	return errors.Join(
		toFile(d.json, func(w io.Writer) error { _, err := w.Write(b); return err }),
		toFile(d.html, func(w io.Writer) error { return page.Write(w, report) }),
	)
}
