// Package broker talks to a Pact Broker: which pacts a provider is to be held to, what
// came of them, what is deployed where, and whether a version may be deployed. It
// follows the broker's own links. It must never take an answer for a yes that it does
// not understand, and never show a credential to another host or in an error.
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// DefaultTimeout is how long the broker may take to answer one request.
const DefaultTimeout = 30 * time.Second

// A Client asks one broker. It may be used from several goroutines.
type Client struct {
	base     *url.URL // its path ends in a slash
	token    string
	user     string
	password string
	http     *http.Client
	agent    string
	pause    time.Duration // before the first repetition
}

// Options says how to reach a broker. Its texts may be secret, but for URL.
type Options struct {
	URL            string // base address, http or https, without credentials
	Token          string // sent as a bearer token
	User, Password string // sent as basic authentication, if there is no token
	Transport      http.RoundTripper
	Timeout        time.Duration // of one request; 0 is [DefaultTimeout]
	Version        string        // of the program, for the broker's log
}

// New checks the options; nothing is asked yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	switch {
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "":
		return nil, errors.New("broker-base-url: got no URL of http or https, want such as https://broker.example.com")
	case base.User != nil:
		return nil, errors.New("broker-base-url: got credentials, want them as broker-token, or broker-username and broker-password")
	case o.Token != "" && o.User != "":
		return nil, errors.New("broker-token: got a user name too, want one of them")
	}
	base.RawQuery, base.Fragment = "", ""
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	transport := o.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Client{
		base: base, token: o.Token, user: o.User, password: o.Password,
		http:  &http.Client{Transport: transport, Timeout: cmp.Or(o.Timeout, DefaultTimeout)},
		agent: strings.TrimSuffix("foreshock/"+o.Version, "/"), pause: 250 * time.Millisecond,
	}, nil
}

// URL is the broker's base address.
func (c *Client) URL() string { return c.base.String() }

// An Error is an answer of the broker that is of no use. It says nothing of a contract:
// as the error of a check it is unknown.
type Error struct {
	Method, URL string
	Status      int // 0 if there was no answer
	Cause       results.Cause
	Err         error
}

// Error names the request, what came, and what to do about it.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("broker: %s %s: %v", e.Method, e.URL, e.Err)
	}
	return fmt.Sprintf("broker: %s %s: got %d %s, %v", e.Method, e.URL, e.Status, http.StatusText(e.Status), e.Err)
}

// Unwrap returns the reason, which is [results.ErrUnknown] as well.
func (e *Error) Unwrap() error { return results.Blind(e.Cause, e.Err) }

// status is the status of the answer that err is about; 0 is none.
func status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// index reads the broker's entrance, whose links lead everywhere.
func (c *Client) index(ctx context.Context) (resource, error) {
	return c.get(ctx, c.base.String())
}

// follow reads what the relation leads to; args fill the link's {placeholders}.
func (c *Client) follow(ctx context.Context, from resource, rel string, args map[string]string) (resource, error) {
	to, err := c.link(from, rel, args)
	if err != nil {
		return resource{}, err
	}
	return c.get(ctx, to)
}

// link is the address that the relation leads to.
func (c *Client) link(from resource, rel string, args map[string]string) (string, error) {
	links := from.Links[rel]
	if len(links) == 0 {
		return "", &Error{
			http.MethodGet, from.at, http.StatusOK, results.CauseNetwork,
			fmt.Errorf("want a link %s in it: is it a Pact Broker, and not too old for this?", rel),
		}
	}
	return from.resolve(links[0].fill(args))
}
