package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	maxBody = 64 << 20 // of an answer, in bytes
	tries   = 3        // of a request that the network or a gateway lost
)

// A resource is one document of the broker, in HAL.
type resource struct {
	at    string // its address
	body  []byte
	Links map[string]links `json:"_links"`
}

// A link may hold placeholders, such as {provider}.
type link struct {
	Href, Name, Title string
}

// links reads one link or a list of them.
type links []link

// UnmarshalJSON implements [json.Unmarshaler].
func (l *links) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		return json.Unmarshal(text, (*[]link)(l))
	}
	var one link
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*l = links{one}
	return nil
}

// fill puts the values into the placeholders of a link.
func (l link) fill(args map[string]string) string {
	to := l.Href
	for name, value := range args {
		to = strings.ReplaceAll(to, "{"+name+"}", url.PathEscape(value))
	}
	return to
}

// resolve makes an address absolute.
func (r resource) resolve(to string) (string, error) {
	base, err := url.Parse(r.at)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(to)
	if err != nil {
		return "", fmt.Errorf("broker: %s: got a link that is no address: %w", r.at, err)
	}
	return u.String(), nil
}

func (c *Client) get(ctx context.Context, to string) (resource, error) {
	return c.do(ctx, http.MethodGet, to, nil)
}

// do sends one request, and again if it may have been lost on the way. body is sent as
// JSON unless it is nil.
func (c *Client) do(ctx context.Context, method, to string, body any) (resource, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return resource{}, err
		}
	}
	pause := c.pause
	for try := 1; ; try++ {
		r, err := c.once(ctx, method, to, text)
		if err == nil || try == tries || !passing(method, err) {
			return r, err
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return r, err
		case <-t.C:
		}
		pause *= 2
	}
}

// passing reports whether the trouble may be over in a moment. A POST that may have
// been heard is not repeated.
func passing(method string, err error) bool {
	switch status(err) {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case 0:
		_, cause := results.Judge(err)
		return cause == results.CauseRefused || method != http.MethodPost && cause == results.CauseReset
	}
	return false
}

func (c *Client) once(ctx context.Context, method, to string, body []byte) (resource, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return resource{}, fmt.Errorf("broker: %w", err)
	}
	req.Header.Set("Accept", "application/hal+json, application/json")
	req.Header.Set("User-Agent", c.agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	trusted := c.authorize(req)
	fail := func(status int, cause results.Cause, err error) (resource, error) {
		return resource{}, &Error{method, shown(req.URL), status, cause, err}
	}
	res, err := c.http.Do(req)
	if err != nil {
		_, cause := results.Judge(err)
		return fail(0, cause, withoutURL(err))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return fail(res.StatusCode, results.CauseNetwork, fmt.Errorf("and then: %w", err))
	case len(text) > maxBody:
		return fail(res.StatusCode, results.CauseNetwork, fmt.Errorf("more than %d MiB, want a document of the broker", maxBody>>20))
	case res.StatusCode/100 != 2:
		return fail(res.StatusCode, results.CauseNetwork, refusal(res.StatusCode, text, trusted))
	}
	r := resource{at: to, body: text}
	if len(bytes.TrimSpace(text)) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return fail(res.StatusCode, results.CauseNetwork, fmt.Errorf("%s, want a document of a Pact Broker: is this its address?",
			kindOf(res.Header.Get("Content-Type"))))
	}
	return r, nil
}

// authorize adds the credentials, but never for another host than the broker's, and
// never in clear if the broker's own address is encrypted.
func (c *Client) authorize(req *http.Request) (trusted bool) {
	if req.URL.Hostname() != c.base.Hostname() || c.base.Scheme == "https" && req.URL.Scheme != "https" {
		return false
	}
	switch {
	case c.token != "":
		req.Header.Set("Authorization", "Bearer "+c.token)
	case c.user != "":
		req.SetBasicAuth(c.user, c.password)
	}
	return true
}

// refusal says what an answer of an error means, in the broker's words where it has some.
func refusal(status int, body []byte, trusted bool) error {
	said := errorsOf(body)
	switch {
	case !trusted && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		return errors.New("want the broker to link to its own address: no credentials are sent elsewhere; set its base URL")
	case status == http.StatusUnauthorized:
		return errors.New("want a broker-token, or broker-username and broker-password, that it knows")
	case status == http.StatusForbidden:
		return errors.New("want credentials that may do this")
	case said != "":
		return fmt.Errorf("it says: %s", said)
	case status >= 500:
		return errors.New("the broker failed: see its log")
	}
	return errors.New("want success")
}

// errorsOf collects the texts of an error body: {"errors": [...]} or {"errors": {key: [...]}},
// or {"error": {"message": ...}}.
func errorsOf(body []byte) string {
	var doc struct {
		Error  json.RawMessage
		Errors json.RawMessage
	}
	if json.Unmarshal(body, &doc) != nil {
		return ""
	}
	var texts []string
	for _, raw := range []json.RawMessage{doc.Errors, doc.Error} {
		var v any
		if json.Unmarshal(raw, &v) == nil {
			texts = append(texts, leaves(v)...)
		}
	}
	const most = 300
	said := strings.Join(texts, "; ")
	if len(said) > most {
		said = strings.ToValidUTF8(said[:most], "") + "…"
	}
	return said
}

func leaves(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			texts = append(texts, leaves(e)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			for _, t := range leaves(v[key]) {
				texts = append(texts, key+": "+t)
			}
		}
	}
	return texts
}

func kindOf(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "something that is not JSON"
	}
	return t
}

// withoutURL drops the address that the error of an HTTP client repeats.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// shown is an address as errors may show it: a query may hold a secret.
func shown(u *url.URL) string {
	s := *u
	if s.RawQuery != "" {
		s.RawQuery = "…"
	}
	s.User, s.Fragment = nil, ""
	return s.String()
}
