package probes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
)

// splitAddress reads host:port and refuses what cannot be dialled.
func splitAddress(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if n, perr := strconv.Atoi(port); err != nil || host == "" || perr != nil || n < 1 || n > 65535 {
		return "", "", fmt.Errorf("got %q, want HOST:PORT", address)
	}
	return host, port, nil
}

// dial connects to host:port in two recorded steps, trying the host's addresses in turn.
func dial(ctx context.Context, rec *results.Recorder, host, port string) (net.Conn, error) {
	var addrs []string
	err := rec.Step(ctx, phaseResolve, func(ctx context.Context, _ *results.Span) (err error) {
		addrs, err = net.DefaultResolver.LookupHost(ctx, host)
		return err
	})
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	err = rec.Step(ctx, phaseConnect, func(ctx context.Context, _ *results.Span) error {
		var errs []error
		for _, a := range addrs {
			c, err := (&net.Dialer{Control: own.Control}).DialContext(ctx, "tcp", net.JoinHostPort(a, port))
			if err == nil {
				conn = c
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	return conn, err
}
