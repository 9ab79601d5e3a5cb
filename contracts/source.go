package contracts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// maxPact is the size of the largest pact that is read, in bytes.
const maxPact = 32 << 20

// fetchLimit is how long a pact at an address may take to come.
const fetchLimit = 30 * time.Second

// pacts reads all pacts of the request: of files, addresses and the broker. With an error
// of the broker come those of the files.
func (r Request) pacts(ctx context.Context) ([]pact, error) {
	var pacts []pact
	for _, path := range r.Files {
		found, err := readPacts(ctx, path)
		if err != nil {
			return nil, err
		}
		pacts = append(pacts, found...)
	}
	if r.Broker == nil {
		return pacts, nil
	}
	found, err := r.Broker.Pacts(ctx, r.Provider, r.Selection)
	if err != nil {
		return pacts, err
	}
	for _, b := range found {
		p, err := parsePact(b.URL, b.Content)
		if err != nil {
			return nil, results.Blind(results.CauseNetwork, err)
		}
		p.broker = &b
		for i := range p.interactions {
			p.interactions[i].Pending = p.interactions[i].Pending || b.Pending
		}
		pacts = append(pacts, p)
	}
	return pacts, nil
}

// readPacts reads a file, the *.json of a directory, or what is at an address.
func readPacts(ctx context.Context, path string) ([]pact, error) {
	if isAddress(path) {
		text, err := fetch(ctx, path)
		if err != nil {
			return nil, err
		}
		p, err := parsePact(withoutQuery(path), text)
		return []pact{p}, ours(err)
	}
	files, err := filesOf(path)
	if err != nil {
		return nil, ours(err)
	}
	var pacts []pact
	for _, f := range files {
		p, err := readPact(f)
		if err != nil {
			return nil, ours(err)
		}
		pacts = append(pacts, p)
	}
	return pacts, nil
}

// ours makes an error of a file unknown: it is no news of the provider.
func ours(err error) error {
	if err == nil {
		return nil
	}
	return results.Blind(results.CauseInternal, err)
}

func isAddress(path string) bool {
	return strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://")
}

// withoutQuery is an address as errors may show it.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address"
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}

// fetch gets the pact at an address. Its errors are unknown.
func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	fail := func(cause results.Cause, format string, args ...any) ([]byte, error) {
		return nil, results.Blind(cause, fmt.Errorf("pact at "+withoutQuery(address)+": "+format, args...))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fail(results.CauseInternal, "want an address of http or https")
	}
	req.Header.Set("Accept", "application/json")
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		_, cause := results.Judge(err)
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return fail(cause, "%w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPact+1))
	switch {
	case err != nil:
		return fail(results.CauseNetwork, "%w", err)
	case res.StatusCode != http.StatusOK:
		return fail(results.CauseNetwork, "got %s, want 200 and a pact", res.Status)
	case len(text) > maxPact:
		return fail(results.CauseInternal, "got more than %d bytes, want a pact of at most that", maxPact)
	}
	return text, nil
}

func filesOf(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, &FileError{File: path, Err: reasonOf(err)}
	case !info.IsDir():
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, &FileError{File: path, Err: reasonOf(err)}
	}
	var files []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".json" && !e.IsDir() {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}

func readPact(file string) (pact, error) {
	info, err := os.Stat(file)
	if err != nil {
		return pact{}, &FileError{File: file, Err: reasonOf(err)}
	}
	if !info.Mode().IsRegular() || info.Size() > maxPact {
		return pact{}, &FileError{File: file, Err: fmt.Errorf("got %v of %d bytes, want a file of at most %d", info.Mode().Type(), info.Size(), maxPact)}
	}
	text, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return pact{}, &FileError{File: file, Err: reasonOf(err)}
	}
	p, err := parsePact(file, text)
	p.local = true
	return p, err
}

// reasonOf drops the path that an *os.PathError repeats.
func reasonOf(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// choose keeps the pacts between the provider and the consumers of a request, with
// those of their interactions that count, and says of each other why it does not.
func choose(pacts []pact, req Request) (kept []pact, passedOver []string) {
	for _, p := range pacts {
		switch {
		case p.provider != req.Provider:
			passedOver = append(passedOver, fmt.Sprintf("%s: its provider is %q, not %q", p.file, p.provider, req.Provider))
			continue
		case len(req.Filter.Consumers) > 0 && !slices.Contains(req.Filter.Consumers, p.consumer):
			passedOver = append(passedOver, fmt.Sprintf("%s: its consumer is %q, which was not asked for", p.file, p.consumer))
			continue
		case len(p.interactions) == 0:
			passedOver = append(passedOver, p.file+": it has no interactions")
			continue
		}
		var left []Interaction
		for _, in := range p.interactions {
			if why := req.Filter.passOver(in); why != "" {
				passedOver = append(passedOver, fmt.Sprintf("%s:%d: %s: %s", p.file, in.Line, in.Given(), why))
				continue
			}
			left = append(left, in)
		}
		if len(left) < len(p.interactions) {
			p.interactions, p.local, p.partly = left, false, true
		}
		if len(left) > 0 {
			kept = append(kept, p)
		}
	}
	return kept, passedOver
}
