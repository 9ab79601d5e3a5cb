package contracts

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A passage stands between the verifier and the provider, on loopback. The verifier
// says the same of a refused connection, an unknown name and a provider that hangs, and
// times its own work with the provider's: here each request is seen as it is. It also
// brings what the verifier cannot, such as a client's certificate.
type passage struct {
	timeout  time.Duration
	server   *http.Server
	listener net.Listener
	done     chan struct{}

	mu   sync.Mutex
	seen []passed // in the order of the requests
}

// passed is one request to the provider and what came of it.
type passed struct {
	method string
	path   string        // with its query
	leads  string        // the path that the answer leads on to; empty: nowhere
	took   time.Duration // until the whole answer was there
	err    error         // why there was none
}

// led joins a request with those that followed where its answer led: the verifier goes
// there by itself, and it is one interaction.
func led(seen []passed) (whole passed, rest []passed) {
	whole, rest = seen[0], seen[1:]
	for len(rest) > 0 && whole.leads != "" && rest[0].path == whole.leads {
		next := rest[0]
		next.took += whole.took
		whole, rest = next, rest[1:]
	}
	return whole, rest
}

// openPassage starts a passage to base. close must be called.
func openPassage(ctx context.Context, req Request, base *url.URL, timeout time.Duration) (*passage, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, ourTrouble(fmt.Errorf("a port for the verifier: %w", err))
	}
	asGiven, err := url.Parse(req.URL) // base has the port, which belongs into no Host header that it is not in
	if err != nil {
		return nil, errors.Join(results.Blind(results.CauseInternal, err), l.Close())
	}
	transport, err := newTransport(req)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p := &passage{timeout: timeout, listener: l, done: make(chan struct{})}
	p.server = &http.Server{
		ReadHeaderTimeout: timeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		Handler: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = base.Scheme, base.Host, asGiven.Host
				r.Out.URL.RawQuery = r.In.URL.RawQuery // as the pact has it, be it well-formed or not
				for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
					if v, ok := r.In.Header[name]; ok { // of the pact: the passage has nothing to add
						r.Out.Header[name] = v
					}
				}
			},
			Transport: &witness{transport, p}, ErrorHandler: cut, FlushInterval: -1,
		},
	}
	go func() {
		defer close(p.done)
		defer transport.CloseIdleConnections()
		_ = p.server.Serve(l) // it ends with Close
	}()
	return p, nil
}

func (p *passage) close() {
	_ = p.server.Close() // what it still passes on is of no use
	<-p.done
}

// port is where the verifier finds the provider.
func (p *passage) port() uint16 { return uint16(p.listener.Addr().(*net.TCPAddr).Port) } //nolint:gosec,forcetypeassert // a TCP port

// cut ends the connection of a request that got no answer: the verifier must not take
// an answer of ours for the provider's.
func cut(w http.ResponseWriter, _ *http.Request, _ error) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler) // as net/http wants a broken answer to be told
}

// A witness notes what became of each request.
type witness struct {
	http.RoundTripper
	passage *passage
}

// RoundTrip implements [http.RoundTripper]. It returns with the whole body, so that an
// answer that breaks off is no answer.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), w.passage.timeout)
	defer cancel()
	begin := time.Now()
	res, err := w.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err == nil {
		err = wholly(res)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = results.Fault(results.CauseTimeout, fmt.Errorf("no answer within %v", w.passage.timeout.Round(time.Millisecond)))
	}
	w.passage.mu.Lock()
	w.passage.seen = append(w.passage.seen, passed{r.Method, r.URL.RequestURI(), leadsTo(res), time.Since(begin), err})
	w.passage.mu.Unlock()
	return res, err
}

// leadsTo is the path that a redirect leads on to; empty is none.
func leadsTo(res *http.Response) string {
	if res == nil || res.StatusCode/100 != 3 {
		return ""
	}
	to, err := res.Location()
	if err != nil {
		return ""
	}
	return to.RequestURI()
}

// errLong is an answer that no contract describes.
var errLong = fmt.Errorf("got an answer of more than %d bytes, want one that a contract may describe", maxPact)

// wholly reads the body of an answer into memory.
func wholly(res *http.Response) error {
	defer res.Body.Close()
	if res.ContentLength > maxPact {
		return results.Fault(results.CauseAnswer, errLong)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPact+1))
	if err == nil && len(body) > maxPact {
		err = results.Fault(results.CauseAnswer, errLong)
	}
	if err != nil {
		return err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if res.Request.Method != http.MethodHead {
		res.ContentLength = int64(len(body))
		res.TransferEncoding = nil
	}
	return nil
}

// explain gives the interactions what was seen of their requests: how long the provider
// took, and why an unreachable one was. The verifier sends one request for each in turn,
// and none for those whose state could not be set.
func (p *passage) explain(all []Interaction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	for i := range all {
		in := &all[i]
		if in.Outcome == NotApplicable {
			continue
		}
		if len(seen) == 0 || in.Type == HTTP && seen[0].method != in.Method {
			if in.Outcome == Unreachable {
				in.Cause = results.CauseInternal
			}
			continue
		}
		var request passed
		request, seen = led(seen)
		in.Response = request.took
		if err := request.err; in.Outcome == Unreachable && err != nil {
			_, in.Cause = results.Judge(err)
			in.Message = err.Error()
			if errors.Is(err, errLong) { // it did answer
				in.Outcome, in.Cause = Broken, ""
			}
		}
	}
}

// newTransport reaches the provider itself, without a proxy.
func newTransport(req Request) (*http.Transport, error) {
	conf := &tls.Config{InsecureSkipVerify: req.InsecureTLS} //nolint:gosec // the user asked for it
	if err := req.TLS.apply(conf); err != nil {              // its errors name the files
		return nil, results.Blind(results.CauseInternal, err)
	}
	return &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: conf}, nil
}
