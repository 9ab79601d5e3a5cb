package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/expect"
)

// maxAnswer is how much of an answer is read.
const maxAnswer = 1 << 20

// A caller calls the target as a user does.
type caller struct {
	spec   *Spec
	run    string
	client *http.Client
	n      atomic.Int64
}

func newCaller(spec *Spec, runID string) *caller {
	return &caller{spec: spec, run: runID, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: spec.Load.MaxConcurrency},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// call makes one call. At and Took are left to the run's clock; the outcome is read
// in the order rejected, fallback, success, else failed.
func (c *caller) call(ctx context.Context) verdict.Call {
	t := c.spec.Target.HTTP
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	answer, err := c.ask(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return verdict.Call{Outcome: verdict.Failed, Error: fmt.Sprintf("no answer within %v", t.Timeout), GaveUp: true}
	case err != nil:
		return verdict.Call{Outcome: verdict.Failed, Error: err.Error()}
	}
	outcome, why := c.classify(answer)
	return verdict.Call{Outcome: outcome, Error: why}
}

func (c *caller) ask(ctx context.Context) (expect.Answer, error) {
	req, err := c.request(ctx)
	if err != nil {
		return expect.Answer{}, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return expect.Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return expect.Answer{}, fmt.Errorf("read answer: %w", err)
	}
	return expect.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

func (c *caller) request(ctx context.Context) (*http.Request, error) {
	t := c.spec.Target.HTTP
	values := map[string]string{"call": c.run + "-" + strconv.FormatInt(c.n.Add(1), 10)}
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
	if c.spec.instance != "" {
		req.Host, req.URL.Host = req.URL.Host, c.spec.instance
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

// classify reads an answer, and says of a failure what each expectation misses.
func (c *caller) classify(a expect.Answer) (verdict.Outcome, string) {
	b := &c.spec.Breaker
	var misses []string
	for _, e := range []struct {
		what    string
		want    *expect.HTTP
		outcome verdict.Outcome
	}{{"rejected", &b.Rejected, verdict.Rejected}, {"fallback", &b.Fallback, verdict.Rejected}, {"success", &c.spec.Target.Success, verdict.Success}} {
		if e.want.IsZero() {
			continue
		}
		err := e.want.Check(a)
		if err == nil {
			return e.outcome, ""
		}
		misses = append(misses, "no "+e.what+" ("+strings.ReplaceAll(err.Error(), "\n", "; ")+")")
	}
	return verdict.Failed, strings.Join(misses, ", ")
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
