package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
)

// maxBody is how much of an answer is read; more is a wrong answer, not our memory.
const maxBody = 10 << 20

var httpKind = kind.Of("http", "requests a URL and judges the answer", `
url: http://127.0.0.1:8080/
expect: {status: [200], body: Mugs}
`, httpProbe{Method: http.MethodGet, Redirects: 10}, func(p httpProbe) (results.Check, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, kind.At("url", fmt.Errorf("got %q, want http://HOST/ or https://HOST/", p.URL))
	}
	if err := p.Expect.Compile(); err != nil {
		return nil, kind.At("expect", err)
	}
	if len(p.Expect.Status) == 0 {
		p.Expect.Status = okStatuses()
	}
	return &p, nil
})

// okStatuses is what an answer may be when nothing is said: the 2xx.
func okStatuses() []int { return []int{200, 201, 202, 203, 204, 205, 206} }

type httpProbe struct {
	URL       string            `yaml:"url"`
	Method    string            `yaml:"method"`
	Headers   map[string]string `yaml:"headers"`
	Body      string            `yaml:"body"`
	Redirects int               `yaml:"redirects"` // followed at most; 0 judges the redirect itself
	Insecure  bool              `yaml:"insecure"`  // do not verify the certificate
	Expect    expect.HTTP       `yaml:"expect"`
}

// Run implements [results.Check]: one request on a connection of its own, so that
// every phase is seen every time.
func (p *httpProbe) Run(ctx context.Context, rec *results.Recorder) error {
	ph := newPhases(rec)
	req, err := http.NewRequestWithContext(ph.trace(ctx), p.Method, p.URL, strings.NewReader(p.Body))
	if err != nil {
		return results.Blind(results.CauseInternal, err)
	}
	for k, v := range p.Headers {
		if strings.EqualFold(k, "Host") {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "foreshock")
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		ForceAttemptHTTP2: true,
		DialContext:       (&net.Dialer{Control: own.Control}).DialContext,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: p.Insecure}, //nolint:gosec // the user asks for it
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, CheckRedirect: p.redirect}).Do(req)
	if err != nil {
		ph.failed(err)
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = results.Fault(results.CauseAnswer, fmt.Errorf("body: got more than %d bytes", maxBody))
	}
	ph.transferred(resp.StatusCode, len(body), err)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if err := p.Expect.Check(expect.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}); err != nil {
		return results.Fault(results.CauseAnswer, fmt.Errorf("%s %s: %w", p.Method, p.URL, err))
	}
	return nil
}

func (p *httpProbe) redirect(_ *http.Request, via []*http.Request) error {
	switch {
	case p.Redirects == 0:
		return http.ErrUseLastResponse
	case len(via) > p.Redirects:
		return results.Fault(results.CauseAnswer, errors.New("redirects: got more than "+fmt.Sprint(p.Redirects)))
	}
	return nil
}
