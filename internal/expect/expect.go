// Package expect says what an HTTP answer should be: status, headers, body and JSON
// values. Probes and scenarios use the same words for it. It must never make a
// request itself.
package expect

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ohler55/ojg/jp"

	"github.com/foreshock/foreshock/internal/kind"
)

// HTTP is what an answer should be. The zero value expects nothing.
type HTTP struct {
	Status  []int             `yaml:"status"`  // any of them
	Headers map[string]string `yaml:"headers"` // each contains the text
	Body    string            `yaml:"body"`    // contains the text
	Matches string            `yaml:"matches"` // the body matches the regular expression (RE2)
	JSON    map[string]any    `yaml:"json"`    // by JSONPath, such as $.paid: true

	matches *regexp.Regexp
	paths   map[string]jp.Expr
}

// An Answer is what a server sent back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// IsZero reports whether nothing is expected.
func (h *HTTP) IsZero() bool {
	return len(h.Status) == 0 && len(h.Headers) == 0 && h.Body == "" && h.Matches == "" && len(h.JSON) == 0
}

// Compile prepares the expressions; it must be called once, before Check.
func (h *HTTP) Compile() error {
	for i, s := range h.Status {
		if s < 100 || s > 599 {
			return kind.At(fmt.Sprintf("status[%d]", i), fmt.Errorf("got %d, want an HTTP status from 100 to 599", s))
		}
	}
	var err error
	if h.Matches != "" {
		if h.matches, err = regexp.Compile(h.Matches); err != nil {
			return kind.At("matches", fmt.Errorf("got %q, want a regular expression: %w", h.Matches, err))
		}
	}
	h.paths = make(map[string]jp.Expr, len(h.JSON))
	for _, text := range slices.Sorted(maps.Keys(h.JSON)) {
		if h.paths[text], err = path(text); err != nil {
			return kind.At("json", err)
		}
	}
	return nil
}

// Check returns what of the answer is not as expected, all of it and in a fixed order,
// or nil.
func (h *HTTP) Check(a Answer) error {
	var errs []error
	if len(h.Status) > 0 && !slices.Contains(h.Status, a.Status) {
		errs = append(errs, fmt.Errorf("status: got %d, want %s", a.Status, numbers(h.Status)))
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		want := h.Headers[name]
		if got := strings.Join(a.Header.Values(name), ", "); !strings.Contains(got, want) {
			errs = append(errs, fmt.Errorf("header %s: got %q, want it to contain %q", name, got, want))
		}
	}
	if h.Body != "" && !strings.Contains(string(a.Body), h.Body) {
		errs = append(errs, fmt.Errorf("body: got %s, want it to contain %q", excerpt(a.Body), h.Body))
	}
	if h.matches != nil && !h.matches.Match(a.Body) {
		errs = append(errs, fmt.Errorf("body: got %s, want it to match %q", excerpt(a.Body), h.Matches))
	}
	if len(h.JSON) > 0 {
		errs = append(errs, h.checkJSON(a.Body))
	}
	return errors.Join(errs...)
}

func numbers(ns []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ns), " ", " or "), "[]")
}

// excerpt keeps the start of a body: enough to see what it is.
func excerpt(b []byte) string {
	start, rest := cut(b)
	return strconv.Quote(start) + rest
}

// cut returns the start of b, and what to say of the rest.
func cut(b []byte) (start, rest string) {
	const limit = 120
	if len(b) <= limit {
		return string(b), ""
	}
	n := limit
	for n > limit-utf8.UTFMax && !utf8.RuneStart(b[n]) { // not within a letter
		n--
	}
	return string(b[:n]), fmt.Sprintf(" ... (%d bytes)", len(b))
}
