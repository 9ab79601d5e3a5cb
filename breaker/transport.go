package breaker

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// A Transport is an http.RoundTripper with a breaker for each host. A request that is
// not let through ends with the error of [Breaker.Do]; a caller of http.Client finds it
// with errors.As.
//
// A call ends when its answer's body has been read or closed, so that a body that
// stalls shows too. What counts as its duration is the time spent waiting for the
// dependency, not the time that its reader takes between two reads. The fields must
// not change once it is in use.
type Transport struct {
	// Base makes the requests; default http.DefaultTransport.
	Base http.RoundTripper
	// Group holds the breakers. Required.
	Group *Group
	// Key names the breaker of a request; default the host of its URL, with the port
	// as it stands there.
	Key func(*http.Request) string
	// Failed tells whether an answer counts as a failure, which it then does as a
	// [*StatusError]; default 429 and from 500 on.
	Failed func(*http.Response) bool
	// HeaderOnly ends a call with its answer's header: for bodies that go on for ever,
	// like server-sent events. Settings.CallTimeout then counts a late header as a
	// failure, but does not end the request.
	HeaderOnly bool
}

// A StatusError is what a breaker is told of an answer that counts as a failure. No
// caller gets it: they get the answer.
type StatusError struct {
	Code  int
	After time.Duration // what its Retry-After asked for; 0 if it did not
}

// Error gives the status.
func (e *StatusError) Error() string { return "status " + strconv.Itoa(e.Code) }

// RetryAfter returns what the dependency asked for: see [Settings.OpenMax].
func (e *StatusError) RetryAfter() time.Duration { return e.After }

// RoundTrip makes the request unless the breaker of its host is open.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.Group == nil {
		closeBody(req)
		return nil, errors.New("breaker transport: group: got none, want the one that holds its breakers")
	}
	key := req.URL.Host
	if t.Key != nil {
		key = t.Key(req)
	}
	c, ctx, err := t.Group.Get(key).start(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	defer func() {
		if c != nil { // the base panicked
			c.leave(bad)
		}
	}()
	sent := req
	if ctx != req.Context() && !t.HeaderOnly {
		sent = req.WithContext(ctx)
	}
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	res, err := base.RoundTrip(sent)
	t.follow(c, res, err)
	c = nil
	return res, err
}

// follow ends the call now, or leaves that to the body.
func (t *Transport) follow(c *call, res *http.Response, err error) {
	took := c.pass.took(c.breaker)
	switch {
	case err != nil:
		c.end(err, took)
	case t.failed(res):
		// It has failed, whatever comes; its body still needs the context.
		c.report(c.breaker.judge(c.caller, &StatusError{Code: res.StatusCode, After: retryAfter(res)}, took))
		t.followBody(c, res, took)
	default:
		t.followBody(c, res, took)
	}
}

func (t *Transport) followBody(c *call, res *http.Response, took time.Duration) {
	// After a switch of protocols the body is the connection, and is no answer.
	if t.HeaderOnly || res.Body == http.NoBody || res.StatusCode == http.StatusSwitchingProtocols {
		c.end(nil, took)
		return
	}
	b := &body{ReadCloser: res.Body, call: c}
	b.waited.Store(int64(took))
	res.Body = b
}

func (t *Transport) failed(res *http.Response) bool {
	if t.Failed != nil {
		return t.Failed(res)
	}
	return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= http.StatusInternalServerError
}

// A body ends its call when it ends.
type body struct {
	io.ReadCloser
	call   *call
	waited atomic.Int64 // ns that the dependency took
}

func (b *body) Read(p []byte) (int, error) {
	asked := time.Now()
	n, err := b.ReadCloser.Read(p)
	took := time.Duration(b.waited.Add(int64(time.Since(asked))))
	switch {
	case err == io.EOF:
		b.call.end(nil, took)
	case err != nil:
		b.call.end(fmt.Errorf("body: %w", err), took)
	}
	return n, err
}

// Close ends a call whose body nobody wanted to the end: what came of it was good.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.call.end(nil, time.Duration(b.waited.Load()))
	return err
}

// retryAfter reads the header, in seconds or as a date; 0 if there is none that makes sense.
func retryAfter(res *http.Response) time.Duration {
	header := res.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// closeBody does what a RoundTripper owes to a request that it does not make.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nobody could be told
	}
}
