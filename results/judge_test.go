package results_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	sys := func(e syscall.Errno) error {
		return &url.Error{Op: "Get", URL: "http://x/", Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", e)}}
	}
	look := func(e net.DNSError) error { return &url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: &e}} }
	blind := results.Blind(results.CauseBrowser, errors.New("crashed"))
	for _, tc := range []struct {
		err    error
		status results.Status
		cause  results.Cause
	}{
		{nil, results.OK, ""},
		{errors.New("got 1, want 2"), results.Critical, results.CauseAnswer},
		{sys(syscall.ECONNREFUSED), results.Critical, results.CauseRefused},
		{sys(syscall.ECONNRESET), results.Critical, results.CauseReset},
		{sys(syscall.ETIMEDOUT), results.Critical, results.CauseTimeout},
		{sys(syscall.EHOSTUNREACH), results.Critical, results.CauseUnreachable},
		{sys(syscall.ENETUNREACH), results.Unknown, results.CauseNetwork},
		{sys(syscall.EMFILE), results.Unknown, results.CauseResources},
		{sys(syscall.EAGAIN), results.Unknown, results.CauseResources}, // which says of itself that it is a timeout
		{sys(syscall.EPERM), results.Unknown, results.CausePermission},
		{look(net.DNSError{IsNotFound: true}), results.Critical, results.CauseNXDomain},
		{look(net.DNSError{IsTimeout: true}), results.Unknown, results.CauseResolver},
		{look(net.DNSError{Err: "server misbehaving", IsTemporary: true}), results.Unknown, results.CauseResolver},
		{io.ErrUnexpectedEOF, results.Critical, results.CauseReset},
		{fmt.Errorf("a: %w", context.DeadlineExceeded), results.Critical, results.CauseTimeout},
		{fmt.Errorf("a: %w", os.ErrDeadlineExceeded), results.Critical, results.CauseTimeout},
		{fmt.Errorf("a: %w", context.Canceled), results.Unknown, results.CauseStopped},
		{fmt.Errorf("a: %w", blind), results.Unknown, results.CauseBrowser},
		{results.ErrUnknown, results.Unknown, results.CauseInternal},
		{results.Fault(results.CauseContract, blind), results.Critical, results.CauseContract}, // the outer one has the last word
		{results.Warn(results.CauseExpiring, sys(syscall.EPERM)), results.Warning, results.CauseExpiring},
		{errors.Join(results.Warn(results.CauseSlow, io.EOF), blind), results.Unknown, results.CauseBrowser},
		{errors.Join(blind, io.EOF), results.Critical, results.CauseReset},
		{errors.Join(errors.New("what"), io.EOF), results.Critical, results.CauseReset}, // what is known of two that are equally bad
		{fmt.Errorf("%w and %w", blind, results.Warn(results.CauseSlow, io.EOF)), results.Unknown, results.CauseBrowser},
		{errors.Join(nil, nil), results.OK, ""},
	} {
		if s, c := results.Judge(tc.err); s != tc.status || c != tc.cause {
			t.Errorf("%v: got %v (%s), want %v (%s)", tc.err, s, c, tc.status, tc.cause)
		}
	}
}

func TestErrorMatches(t *testing.T) {
	t.Parallel()
	blind := fmt.Errorf("a: %w", results.Blind(results.CauseTool, io.EOF))
	if !errors.Is(blind, results.ErrUnknown) || !errors.Is(blind, io.EOF) || blind.Error() != "a: EOF" {
		t.Errorf("got %v: want it to be ErrUnknown, what it wraps, and to read as that", blind)
	}
	if errors.Is(results.Fault(results.CauseReset, io.EOF), results.ErrUnknown) || errors.Is(results.Warn(results.CauseSlow, io.EOF), results.ErrUnknown) {
		t.Error("a fault or a warning is ErrUnknown")
	}
}

// What real servers and sockets do.
func TestJudgeReal(t *testing.T) {
	t.Parallel()
	https := httptest.NewUnstartedServer(http.NotFoundHandler())
	https.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	https.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	https.StartTLS()
	defer https.Close()
	get := func(rt http.RoundTripper, to string, timeout time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: rt}).Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	fresh := func() *http.Transport { return &http.Transport{DisableKeepAlives: true} }
	trusting := https.Client().Transport.(*http.Transport).Clone()
	trusting.DisableKeepAlives = true
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	lookup := lookUpInVain(t)
	for _, tc := range []struct {
		name   string
		err    error
		status results.Status
		cause  results.Cause
	}{
		{"certificate of an unknown authority", get(fresh(), https.URL, time.Minute), results.Critical, results.CauseTLS},
		{"server wants a certificate", get(trusting, https.URL, time.Minute), results.Critical, results.CauseTLS},
		{"nobody listens", get(fresh(), "http://"+closed.Addr().String(), time.Minute), results.Critical, results.CauseRefused},
		{"no answer", get(fresh(), "http://"+silent.Addr().String(), 50*time.Millisecond), results.Critical, results.CauseTimeout},
		{"resolver is silent", lookup, results.Unknown, results.CauseResolver},
	} {
		if s, c := results.Judge(tc.err); s != tc.status || c != tc.cause {
			t.Errorf("%s: %v: got %v (%s), want %v (%s)", tc.name, tc.err, s, c, tc.status, tc.cause)
		}
	}
}

// lookUpInVain asks a resolver that never answers.
func lookUpInVain(t *testing.T) error {
	t.Helper()
	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	// The look-up goes on behind its caller's back, until its socket is closed.
	var mu sync.Mutex
	var asked []net.Conn
	ask := func(ctx context.Context, _, _ string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(asked) == 2 { // for IPv4 and IPv6
			return nil, net.ErrClosed
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "udp", deaf.LocalAddr().String())
		asked = append(asked, c)
		return c, err
	}
	d := net.Dialer{Timeout: 50 * time.Millisecond, Resolver: &net.Resolver{PreferGo: true, Dial: ask}}
	_, err = d.DialContext(t.Context(), "tcp", "shop.example:80")
	mu.Lock()
	defer mu.Unlock()
	for _, c := range asked {
		c.Close()
	}
	return err
}

// Package net tells a cancelled dial in an error of its own, which says what it is only
// when asked.
func TestCancelledDialIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:1")
	if s, c := results.Judge(err); s != results.Unknown || c != results.CauseStopped {
		t.Errorf("got %v %q of %v, want unknown stopped", s, c, err)
	}
}
