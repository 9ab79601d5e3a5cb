package lab

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// startLimit is how long a process may take to listen.
const startLimit = 20 * time.Second

// A site is a case's service and its dependencies, each a process of its own.
type site struct {
	url          string   // of the service
	dependencies []string // HOST:PORT
	parts        []*part
}

// A part is a process that the lab started. Closing its standard input ends it.
type part struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
	log *tail
}

// start starts the two dependencies and the service of a case.
func (b *Bench) start(ctx context.Context, c Case) (_ *site, err error) {
	s := &site{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	for range 2 {
		address, err := b.dependency(ctx, s, cmp.Or(c.Host, "127.0.0.1"))
		if err != nil {
			return nil, fmt.Errorf("dependency: %w", err)
		}
		s.dependencies = append(s.dependencies, address)
	}
	service := c.Service.complete()
	service.Dependencies = s.dependencies
	line, env, err := b.command(c.Language, service)
	if err != nil {
		return nil, err
	}
	s.url, err = s.run(ctx, line, env)
	if err != nil {
		return nil, fmt.Errorf("service in %s: %w", c.Language, err)
	}
	return s, nil
}

// byName is the host of a dependency whose service knows it by its name.
const byName = "localhost"

// dependency starts a dependency and returns the address by which its service knows it.
func (b *Bench) dependency(ctx context.Context, s *site, host string) (address string, err error) {
	listens := host
	if host == byName {
		listens = "127.0.0.1"
	}
	url, err := s.run(ctx, slices.Concat(b.Self, []string{"dependency", strconv.Quote(listens)}), nil)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	return net.JoinHostPort(host, port), err
}

// run starts a process and waits until it listens.
func (s *site) run(ctx context.Context, line, env []string) (url string, err error) {
	p, err := start(ctx, line, env)
	if err != nil {
		return "", err
	}
	s.parts = append(s.parts, p)
	limit := time.AfterFunc(startLimit, func() { _ = p.cmd.Process.Kill() })
	defer limit.Stop()
	if url, err = address(p.out); err != nil {
		return "", errors.Join(err, errors.New(strings.TrimSpace(p.log.String())))
	}
	go func() { _, _ = io.Copy(io.Discard, p.out) }() // ends with the process
	return url, nil
}

// start starts a process that ends with ctx or when its standard input is closed.
func start(ctx context.Context, line, env []string) (*part, error) {
	cmd := exec.CommandContext(ctx, line[0], line[1:]...) //nolint:gosec // ourselves, or a language that the lab names
	cmd.Env = append(os.Environ(), env...)
	p := &part{cmd: cmd, log: &tail{}}
	cmd.Stderr = p.log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the processes and waits for them.
func (s *site) stop() {
	for _, p := range s.parts {
		p.stop()
	}
}

func (p *part) stop() {
	_ = p.in.Close()
	kill := time.AfterFunc(2*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	_ = p.cmd.Wait()
}

// command is the command line of a service in a language.
func (b *Bench) command(language string, s Service) (line, env []string, err error) {
	settings, err := json.Marshal(s)
	if err != nil {
		return nil, nil, err
	}
	switch language {
	case golang:
		return slices.Concat(b.Self, []string{"service", string(settings)}), nil, nil
	case node:
		return b.script("node", "service.mjs", nodeService, string(settings))
	case python:
		return b.script("python3", "service.py", pythonService, string(settings))
	case nginx, haproxy:
		line, err = b.passive(strings.ToLower(language), s)
		return line, nil, err
	}
	return nil, nil, fmt.Errorf("language: got %q, which the lab does not have", language)
}

// tail keeps the last of what a process said.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.Len() > 1<<16 {
		t.b.Reset()
	}
	return t.b.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
