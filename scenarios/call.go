package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/expect"
)

// maxAnswer is how much of an answer is read.
const maxAnswer = 1 << 20

// A caller calls the target as a user does, one call at a time.
type caller struct {
	spec   *Spec
	run    string
	client *http.Client
	n      int
}

func newCaller(spec *Spec, runID string) *caller {
	return &caller{spec: spec, run: runID, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// call makes one call. At and Took are left to the run's clock; the outcome is read
// in the order rejected, fallback, success, else failed.
func (c *caller) call(ctx context.Context) (verdict.Outcome, string) {
	c.n++
	t := c.spec.Target.HTTP
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	req, err := c.request(ctx)
	if err != nil {
		return verdict.Failed, err.Error()
	}
	resp, err := c.client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return verdict.Failed, fmt.Sprintf("no answer within %v", t.Timeout)
	}
	if err != nil {
		return verdict.Failed, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return verdict.Failed, "read answer: " + err.Error()
	}
	return c.classify(expect.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body})
}

func (c *caller) request(ctx context.Context) (*http.Request, error) {
	t := c.spec.Target.HTTP
	values := map[string]string{"call": c.run + "-" + strconv.Itoa(c.n)}
	url, err := t.URL.Fill(values)
	if err != nil {
		return nil, err
	}
	body, err := t.Body.Fill(values)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, t.Method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, v := range t.Headers {
		text, err := v.Fill(values)
		if err != nil {
			return nil, err
		}
		req.Header.Set(name, text)
	}
	return req, nil
}

func (c *caller) classify(a expect.Answer) (verdict.Outcome, string) {
	for _, e := range []*expect.HTTP{&c.spec.Breaker.Rejected, &c.spec.Breaker.Fallback} {
		if !e.IsZero() && e.Check(a) == nil {
			return verdict.Rejected, ""
		}
	}
	if err := c.spec.Target.Success.Check(a); err != nil {
		return verdict.Failed, strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return verdict.Success, ""
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
