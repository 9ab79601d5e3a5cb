package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// shopStart is how long a service of the shop may take to listen.
const shopStart = 10 * time.Second

// A demoShop is the sample shop, running as three processes.
type demoShop struct {
	env  map[string]string // what the sample configuration asks for
	cmds []*exec.Cmd
}

// startShop starts the three services. Their fixed addresses are free: the network
// namespace is new.
func (p *program) startShop(ctx context.Context, breaker string) (*demoShop, error) {
	bin, err := beside("shop")
	if err != nil {
		return nil, err
	}
	const catalog, payments, storefront = "127.0.0.1:8081", "127.0.0.1:9002", "127.0.0.1:8080"
	s := &demoShop{env: map[string]string{
		"SHOP_URL": "http://" + storefront, "CATALOG_URL": "http://" + catalog, "PAYMENTS_ADDRESS": payments,
	}}
	for _, args := range [][]string{
		{"catalog", "--listen", catalog},
		{"payments", "--listen", payments},
		{"storefront", "--listen", storefront, "--catalog", "http://" + catalog, "--payments", "http://" + payments, "--breaker=" + breaker},
	} {
		if err := s.start(ctx, bin, args); err != nil {
			s.stop()
			return nil, err
		}
	}
	return s, nil
}

// beside finds a program of ours next to this one, then on the PATH.
func beside(name string) (string, error) {
	if exe, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(exe), name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("the sample shop: %w; make build puts it beside foreshock", err)
	}
	return path, nil
}

// start starts one service and waits for its word that it listens.
func (s *demoShop) start(ctx context.Context, bin string, args []string) error {
	cmd := exec.CommandContext(ctx, bin, args...) //nolint:gosec // our own sample shop
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("shop %s: %w", args[0], err)
	}
	s.cmds = append(s.cmds, cmd)
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, out)
	}()
	timeout := time.NewTimer(shopStart)
	defer timeout.Stop()
	select {
	case line := <-first:
		if strings.Contains(line, "listening") {
			return nil
		}
		return fmt.Errorf("shop %s did not start: %w", args[0], errors.Join(cmd.Wait(), errors.New(strings.TrimSpace(log.String()))))
	case <-timeout.C:
		return fmt.Errorf("shop %s: no word of it in %v", args[0], shopStart)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the services and waits for them.
func (s *demoShop) stop() {
	for _, cmd := range s.cmds {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range s.cmds {
		_ = cmd.Wait()
	}
}
