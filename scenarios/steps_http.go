package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
)

// httpStep makes a request and keeps values of the answer.
type httpStep struct {
	Method  string                 `yaml:"method"`
	URL     string                 `yaml:"url"`
	Headers map[string]string      `yaml:"headers"`
	Body    string                 `yaml:"body"`
	Expect  expect.HTTP            `yaml:"expect"`
	Save    map[string]expect.Path `yaml:"save"`
	Timeout time.Duration          `yaml:"timeout"`
}

func httpStepKind() kind.Kind[step] {
	return kind.Of("http", "makes a request, and saves values of its answer by JSONPath", `
method: POST
url: http://127.0.0.1:8080/login
save: {token: "$.token"}
`, httpStep{Method: http.MethodGet, Timeout: stepLimit}, func(h httpStep) (step, error) {
		if u, err := url.Parse(h.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, kind.At("url", fmt.Errorf("got %q, want http://HOST/ or https://HOST/", h.URL))
		}
		if _, err := http.NewRequestWithContext(context.Background(), h.Method, h.URL, http.NoBody); err != nil {
			return nil, kind.At("method", fmt.Errorf("got %q, want a method such as POST", h.Method))
		}
		if h.Timeout == 0 {
			return nil, kind.At("timeout", errors.New("got 0s, want how long the step may take, such as 10s"))
		}
		if err := h.Expect.Compile(); err != nil {
			return nil, kind.At("expect", err)
		}
		return &h, nil
	})
}

func (h *httpStep) limit() time.Duration { return h.Timeout }

func (h *httpStep) do(ctx context.Context, secrets *kind.Secrets, values map[string]string) error {
	req, err := http.NewRequestWithContext(ctx, h.Method, h.URL, strings.NewReader(h.Body))
	if err != nil {
		return err
	}
	setType(req, h.Body)
	for name, text := range h.Headers {
		req.Header.Set(name, text)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	// First, so that no error about the answer shows what is to be kept secret.
	missing := h.save(body, secrets, values)
	want := h.Expect
	if len(want.Status) == 0 && resp.StatusCode/100 != 2 {
		return fmt.Errorf("status: got %d, want 2xx", resp.StatusCode)
	}
	if err := want.Check(expect.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}); err != nil {
		return err
	}
	return missing
}

func (h *httpStep) save(body []byte, secrets *kind.Secrets, values map[string]string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(h.Save)) {
		path := h.Save[name]
		text, err := path.Find(body)
		if err != nil {
			errs = append(errs, fmt.Errorf("save %s: %w", name, err))
			continue
		}
		secrets.Add(text)
		values[name] = text
	}
	return errors.Join(errs...)
}

// setType says that a body is JSON if it looks like it.
func setType(req *http.Request, body string) {
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		req.Header.Set("Content-Type", "application/json")
	}
}
