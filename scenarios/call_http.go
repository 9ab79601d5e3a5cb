package scenarios

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
)

type httpTarget struct {
	Method  string                   `yaml:"method"`
	URL     kind.Template            `yaml:"url"`
	Headers map[string]kind.Template `yaml:"headers"`
	Body    kind.Template            `yaml:"body"`
	Timeout time.Duration            `yaml:"timeout"`
}

// valid returns what is wrong with the values, with its place in the mapping at; those
// that come at run time have stand-ins.
func (t *httpTarget) valid(at kind.Node, standIns map[string]string) error {
	text, err := t.URL.Fill(standIns)
	if err != nil {
		return at.Get("url").Errorf("target.http.url: %w", err)
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return at.Get("url").Errorf("target.http.url: got %q, want http://HOST/ or https://HOST/", t.URL)
	}
	if !regexp.MustCompile(`^[A-Za-z]+$`).MatchString(t.Method) {
		return at.Get("method").Errorf("target.http.method: got %q, want a method such as POST", t.Method)
	}
	return nil
}

// httpCalls makes calls over HTTP.
type httpCalls struct {
	*httpTarget

	instance string // that is called instead of the URL's host, or empty
	client   *http.Client
}

func newHTTPCalls(t *httpTarget, instance string, concurrency int) *httpCalls {
	return &httpCalls{httpTarget: t, instance: instance, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: concurrency},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

func (c *httpCalls) close() { c.client.CloseIdleConnections() }

func (c *httpCalls) ready(context.Context, map[string]string) error { return nil }

func (c *httpCalls) ask(ctx context.Context, values map[string]string) (answer, error) {
	req, err := c.request(ctx, values)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{Answer: expect.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}}, nil
}

func (c *httpCalls) request(ctx context.Context, values map[string]string) (*http.Request, error) {
	u, err := c.URL.Fill(values)
	if err != nil {
		return nil, err
	}
	body, err := c.Body.Fill(values)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, u, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.instance != "" {
		req.Host, req.URL.Host = req.URL.Host, c.instance
	}
	setType(req, body)
	for name, v := range c.Headers {
		text, err := v.Fill(values)
		if err != nil {
			return nil, err
		}
		req.Header.Set(name, text)
	}
	return req, nil
}
