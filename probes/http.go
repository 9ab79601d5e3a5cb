package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

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
	if err := p.validate(); err != nil {
		return nil, err
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

// validate refuses what could not be sent: that would look like the service's fault.
func (p *httpProbe) validate() error {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() != "" && !isPort(u.Port()) {
		shown := p.URL
		if err == nil && u.User != nil {
			shown = u.Redacted()
		}
		return kind.At("url", fmt.Errorf("got %q, want http://HOST/ or https://HOST/", shown))
	}
	if _, err := http.NewRequest(p.Method, p.URL, nil); err != nil { //nolint:noctx // it is not sent
		return kind.At("method", fmt.Errorf("got %q, want an HTTP method such as GET", p.Method))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		if name == "" || strings.ContainsFunc(name, notToken) || strings.ContainsFunc(p.Headers[name], unicode.IsControl) {
			return kind.At("headers."+name, errors.New("got a name or a value that HTTP does not allow, want a name without spaces and a value of one line"))
		}
	}
	if p.Redirects < 0 {
		return kind.At("redirects", fmt.Errorf("got %d, want at least 0", p.Redirects))
	}
	return nil
}

// notToken tells what may not stand in the name of a header.
func notToken(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
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
		return ph.finish(err, nil)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = results.Fault(results.CauseAnswer, fmt.Errorf("got more than %d bytes, want at most that", maxBody))
	}
	err = ph.finish(err, map[string]float64{"status_code": float64(resp.StatusCode), "bytes": float64(len(body))})
	if err != nil {
		return fmt.Errorf("%s %s: body: %w", p.Method, req.URL.Redacted(), err)
	}
	if err := p.Expect.Check(expect.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}); err != nil {
		return results.Fault(results.CauseAnswer, fmt.Errorf("%s %s: %w", p.Method, req.URL.Redacted(), err))
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
