package reader

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/own"
	"github.com/foreshock/foreshock/results"
)

// maxBody is how much of an answer is read. A proxy's page of metrics has megabytes.
const maxBody = 16 << 20

// web is where a reader asks, and how: the settings that all kinds have.
type web struct {
	URL      string            `yaml:"url"`
	Headers  map[string]string `yaml:"headers"`
	Timeout  time.Duration     `yaml:"timeout"`  // of one request
	CA       kind.Path         `yaml:"ca"`       // PEM file of the roots to trust; default: the system's
	Insecure bool              `yaml:"insecure"` // do not verify the certificate

	base   *url.URL
	client *http.Client
}

func defaults() web { return web{Timeout: 2 * time.Second} }

// prepare validates the settings and makes the client.
func (w *web) prepare() error {
	u, err := url.Parse(w.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		shown := "what is not a URL"
		if err == nil {
			shown = fmt.Sprintf("%q", u.Redacted())
		}
		return kind.At("url", fmt.Errorf("got %s, want http://HOST/PATH or https://HOST/PATH", shown))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		if name == "" || strings.ContainsFunc(name, notToken) || strings.ContainsFunc(w.Headers[name], unicode.IsControl) {
			return kind.At("headers."+name, errors.New("got a name or a value that HTTP does not allow, want a name without spaces and a value of one line"))
		}
	}
	if w.Timeout <= 0 {
		return kind.At("timeout", fmt.Errorf("got %v, want more than 0s", w.Timeout))
	}
	config := &tls.Config{InsecureSkipVerify: w.Insecure} //nolint:gosec // the user asks for it
	if w.CA != "" {
		pem, err := os.ReadFile(string(w.CA))
		if err != nil {
			return kind.At("ca", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return kind.At("ca", fmt.Errorf("got %s, want a file with certificates in PEM", w.CA))
		}
	}
	w.base = u
	w.client = &http.Client{
		Transport: &http.Transport{
			ForceAttemptHTTP2: true,
			DialContext:       (&net.Dialer{Control: own.Control}).DialContext,
			TLSClientConfig:   config,
		},
		// A redirect would take the headers to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// notToken tells what may not stand in the name of a header.
func notToken(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// Close implements [Reader].
func (w *web) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// below returns the URL at path elements below the base; an element may hold anything.
func (w *web) below(elements ...string) *url.URL {
	for i, e := range elements {
		elements[i] = url.PathEscape(e)
	}
	return w.base.JoinPath(elements...)
}

// get returns the body at u. Its errors are unknown, and say where they come from.
func (w *web) get(ctx context.Context, u *url.URL) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	resp, err := w.open(ctx, u)
	if err != nil {
		return nil, err
	}
	return w.body(resp)
}

// body reads the whole of an answer and closes it.
func (w *web) body(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("got more than %d MB, want at most that: narrow the url", maxBody>>20)
	}
	if err != nil {
		return nil, blind(resp.Request.URL, fmt.Errorf("body: %w", plain(err, w.Timeout)))
	}
	return body, nil
}

// open returns an answer of status 200 that is not a page for people; whoever gets it
// closes its body.
func (w *web) open(ctx context.Context, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, blind(u, errors.New("got a url that cannot be requested"))
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4, application/json, text/event-stream, */*;q=0.1")
	req.Header.Set("User-Agent", "foreshock")
	for k, v := range w.Headers {
		if strings.EqualFold(k, "Host") {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, blind(u, plain(err, w.Timeout))
	}
	if err := acceptable(resp); err != nil {
		_ = resp.Body.Close()
		return nil, blind(u, err)
	}
	return resp, nil
}

// A statusError is an answer of another status than 200.
type statusError int

func (s statusError) Error() string {
	text := fmt.Sprintf("got %d %s, want 200", int(s), http.StatusText(int(s)))
	switch {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return text + ": set headers, such as Authorization"
	case s/100 == 3:
		return text + ": redirects are not followed, give the url they lead to"
	}
	return text
}

func acceptable(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return statusError(resp.StatusCode)
	}
	if mediaType(resp) == "text/html" {
		return errors.New("got an HTML page, want metrics, JSON or a stream of events: is it the page of a login or of a proxy?")
	}
	return nil
}

func mediaType(resp *http.Response) string {
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return t
}

// isStatus reports whether err is an answer of that status.
func isStatus(err error, code int) bool {
	s, ok := errors.AsType[statusError](err)
	return ok && int(s) == code
}

// plain takes the URL out of an error, since its query may hold a token.
func plain(err error, limit time.Duration) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("got no whole answer in %v: %w", limit, err)
	}
	return err
}

// blind says that u did not tell what was asked of it, without u's secrets.
func blind(u *url.URL, err error) error {
	status, cause := results.Judge(err)
	code, _ := errors.AsType[statusError](err)
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		cause = results.CausePermission
	case status != results.Unknown:
		cause = results.CauseTool
	}
	return results.Blind(cause, fmt.Errorf("%s: %w", shown(u), err))
}

// shown is a URL without what may be secret in it.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
