package contracts

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/foreshock/foreshock/results"
)

// lookLimit is how long all looks of one verification may take together.
const lookLimit = time.Second

// look finds out, for each interaction that got no answer, why: the verifier says the
// same of a refused connection, an unknown name and a provider that hangs. It asks the
// provider itself, and only with GET: for the interaction's own path if it has that
// method, for the base URL otherwise.
func look(ctx context.Context, base *url.URL, req Request, timeout time.Duration, all []Interaction) {
	limit := lookLimit
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	transport := newTransport(req)
	defer transport.CloseIdleConnections()
	for i := range all {
		in := &all[i]
		if in.Outcome != Unreachable {
			continue
		}
		err := ask(ctx, transport, target(base, in), req.Headers)
		switch _, cause := results.Judge(err); {
		case err != nil && (cause != results.CauseTimeout || ctx.Err() == nil):
			in.Cause, in.Message = cause, err.Error()
		case in.Duration >= timeout*9/10:
			in.Cause, in.Message = results.CauseTimeout, fmt.Sprintf("no answer within %v", timeout.Round(time.Millisecond))
		case err != nil:
			in.Cause, in.Message = results.CauseTimeout, err.Error()
		default:
			in.Cause, in.Message = results.CauseReset, in.Message+"; it answers other requests"
		}
	}
}

// newTransport reaches the provider itself, without a proxy.
func newTransport(req Request) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: req.InsecureTLS}, //nolint:gosec // the user asked for it
	}
}

// ask sends one GET and returns why it got no answer; any answer will do.
func ask(ctx context.Context, transport http.RoundTripper, to string, headers map[string]string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxPact))
	return err
}

func target(base *url.URL, in *Interaction) string {
	if in.Method != http.MethodGet {
		return base.String()
	}
	return base.JoinPath(in.Path).String()
}
