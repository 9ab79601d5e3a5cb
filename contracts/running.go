package contracts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/results"
)

const (
	runningLimit = 5 * time.Second // for the version to be read
	maxVersion   = 200             // of its text, in bytes
)

// Running says where the version of the provider that really runs is read.
type Running struct {
	URL     string       `yaml:"url"`     // asked with GET; empty: the provider's own
	Header  string       `yaml:"header"`  // of the answer
	JSON    *expect.Path `yaml:"json"`    // in the answer; without it and a header the whole answer counts
	Command []string     `yaml:"command"` // a program that prints it, instead
}

func (r Running) check() error {
	switch {
	case len(r.Command) > 0 && (r.URL != "" || r.Header != "" || r.JSON != nil):
		return errors.New("got a command and an address, want one of them")
	case r.Header != "" && r.JSON != nil:
		return errors.New("got header and json, want one of them")
	case len(r.Command) == 0 && r.URL == "" && r.Header == "" && r.JSON == nil:
		return errors.New("got nothing, want header, url, json or command")
	}
	return nil
}

// read returns the version that runs now.
func (r Running) read(ctx context.Context, req Request) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runningLimit)
	defer cancel()
	text, err := r.text(ctx, req)
	if err != nil {
		return "", err
	}
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxVersion || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("got %q, want one line with a version", clip(text))
	}
	return text, nil
}

func (r Running) text(ctx context.Context, req Request) (string, error) {
	if len(r.Command) > 0 {
		out, err := exec.CommandContext(ctx, r.Command[0], r.Command[1:]...).Output() //nolint:gosec // the user names the program
		if err != nil {
			return "", fmt.Errorf("%s: %w", r.Command[0], err)
		}
		return string(out), nil
	}
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, cmp.Or(r.URL, req.URL), nil)
	if err != nil {
		return "", err
	}
	for k, v := range req.Headers {
		if r.URL == "" || strings.HasPrefix(r.URL, req.URL) { // they are the provider's, and may be secret
			get.Header.Set(k, v)
		}
	}
	transport, err := newTransport(req)
	if err != nil {
		return "", err
	}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(get)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if r.Header != "" {
		v := res.Header.Get(r.Header)
		if v == "" {
			return "", fmt.Errorf("got an answer without the header %s", r.Header)
		}
		return v, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxText))
	switch {
	case err != nil:
		return "", err
	case res.StatusCode != http.StatusOK:
		return "", fmt.Errorf("got status %d, want 200", res.StatusCode)
	case r.JSON == nil:
		return string(body), nil
	}
	return r.JSON.Find(body)
}

// drift reads the version that runs, and compares it with those that the broker
// believes to run in the environment. It is a warning when they differ: a deploy would
// be allowed or stopped for a version that is not there. That it could not be told is
// the step's own trouble, and says nothing of the contract.
func (c *check) drift(ctx context.Context, rec *results.Recorder) (runs string, drifted error) {
	if c.running == nil {
		return "", nil
	}
	_ = rec.Step(ctx, "version", func(ctx context.Context, _ *results.Span) (err error) { // the step tells its error
		if runs, err = c.running.read(ctx, c.req); err != nil {
			return results.Blind(results.CauseNetwork, fmt.Errorf("the version of %s that runs: %w", c.req.Provider, err))
		}
		if c.environment == "" {
			return nil
		}
		believed, err := c.req.Broker.Deployed(ctx, c.req.Provider, c.environment)
		if err != nil {
			return results.Blind(results.CauseNetwork, err)
		}
		drifted = c.differ(runs, believed)
		return drifted
	})
	return runs, drifted
}

func (c *check) differ(runs string, believed []broker.Deployed) error {
	if slices.ContainsFunc(believed, func(d broker.Deployed) bool { return d.Number == runs }) {
		return nil
	}
	var versions []string
	for _, d := range believed {
		versions = append(versions, d.Number)
	}
	what := "none"
	if len(versions) > 0 {
		what = strings.Join(versions, ", ")
	}
	return results.Warn(results.CauseDrift, fmt.Errorf("%s runs version %s, and the broker believes %s in %s: "+
		"can-i-deploy answers for a version that is not there; foreshock contract record-deployment tells it",
		c.req.Provider, runs, what, c.environment))
}
