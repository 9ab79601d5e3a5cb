package probes

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
)

// hostOf returns the host of HOST:PORT, and refuses what cannot be dialled.
func hostOf(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || !isPort(port) {
		return "", fmt.Errorf("got %q, want HOST:PORT", address)
	}
	return host, nil
}

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// dial connects to host:port and records how: resolve, if the host is a name, and
// connect. Of several addresses the first that answers is taken.
func dial(ctx context.Context, rec *results.Recorder, address string) (net.Conn, error) {
	ph := newPhases(rec)
	conn, err := (&net.Dialer{Control: own.Control}).DialContext(ph.trace(ctx), "tcp", address)
	return conn, ph.finish(err, nil)
}
