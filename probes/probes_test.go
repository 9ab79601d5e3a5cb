package probes_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/probes"
	"github.com/foreshock/foreshock/results"
)

// patience is the timeout of checks that are not about time.
const patience = 10 * time.Second

type nowhere struct{}

func (nowhere) Publish(context.Context, ...results.Record) error { return nil }

// build makes a check of its YAML, such as "tcp: {address: ...}"; ${long} is 20 MB.
func build(text string) (results.Check, error) {
	docs, err := kind.Parse("f.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	vars := &kind.Vars{}
	if strings.Contains(text, "${long}") {
		vars.Named = map[string]string{"long": strings.Repeat("x", 20<<20)}
	}
	n, err := docs[0].Expand(vars)
	if err != nil {
		return nil, err
	}
	_, c, err := probes.Kinds().Build("probe", n)
	return c, err
}

// runner runs the check of text as the program does, under the name "c".
func runner(tb testing.TB, text string, timeout time.Duration) *run.Runner {
	tb.Helper()
	c, err := build(text)
	if err != nil {
		tb.Fatal(err)
	}
	r := run.New("here", nowhere{}, nil, slog.New(slog.DiscardHandler))
	if err := r.Add(run.Entry{Name: "c", Timeout: timeout, Check: c}); err != nil {
		tb.Fatal(err)
	}
	return r
}

// look runs the check of text once.
func look(t *testing.T, text string, timeout time.Duration) results.Result {
	t.Helper()
	r := runner(t, text, timeout)
	res, err := r.Run(t.Context(), r.Now("c", ""))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range res.Steps {
		if (s.Status == results.OK) != (s.Cause == "") || s.Offset < 0 || s.Duration < 0 || s.Offset+s.Duration > res.Duration {
			t.Errorf("step %d of %v: got %+v, want a cause iff not ok, within the run", i, res.Duration, s)
		}
		if i > 0 && s.Offset < res.Steps[i-1].Offset+res.Steps[i-1].Duration {
			t.Errorf("step %s begins at %v, before the one before it has ended", s.Name, s.Offset)
		}
	}
	return res
}

// wants checks status, cause, a part of the message and the steps, each its name and,
// if it is not ok, its cause: "connect processing:timeout".
func wants(t *testing.T, res results.Result, status results.Status, cause results.Cause, says, steps string) {
	t.Helper()
	if res.Status != status || res.Cause != cause || !strings.Contains(res.Message, says) || says == "" && res.Message != "" {
		t.Errorf("got %v %s %q, want %v %s and %q", res.Status, res.Cause, res.Message, status, cause, says)
	}
	var names []string
	for _, s := range res.Steps {
		if s.Cause != "" {
			s.Name += ":" + string(s.Cause)
		}
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != steps {
		t.Errorf("got steps %q, want %q", got, steps)
	}
}

// refusing returns an address that nobody listens on.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// listen serves raw connections; each is closed when serve returns, and all at the end.
func listen(t *testing.T, serve func(context.Context, *net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context() // ends before the cleanups run
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(ctx, c.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().String()
}

// hold does nothing until the test ends: a server that is stuck.
func hold(ctx context.Context, _ *net.TCPConn) { <-ctx.Done() }

func TestKindsAreWhole(t *testing.T) {
	t.Parallel()
	var declared []string
	fset := token.NewFileSet()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && strings.HasSuffix(v.Names[0].Name, "Kind") {
				declared = append(declared, strings.TrimSuffix(v.Names[0].Name, "Kind"))
			}
			return true
		})
	}
	names := probes.Kinds().Names()
	slices.Sort(declared)
	if sorted := slices.Sorted(slices.Values(names)); !slices.Equal(declared, sorted) || len(sorted) == 0 {
		t.Errorf("declared %v, listed in Kinds %v", declared, sorted)
	}
	for _, k := range probes.Kinds() {
		if _, err := probes.Kinds().BuildText(k.Name, k.Example); err != nil {
			t.Errorf("the example of %s does not build: %v", k.Name, err)
		}
		if k.Summary == "" || strings.TrimSpace(k.Example) == "" {
			t.Errorf("%s: got no summary or no example", k.Name)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("got %v, want each kind once", names)
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http: {}":                                         `1:7: url: got "", want http://HOST/ or https://HOST/`,
		"http: {url: 'ftp://h/'}":                          `1:13: url: got "ftp://h/", want http://HOST/ or https://HOST/`,
		"http: {url: 'http://'}":                           `1:13: url: got "http://", want http://HOST/ or https://HOST/`,
		"http: {url: 'http://:80/'}":                       `1:13: url: got "http://:80/", want http://HOST/ or https://HOST/`,
		"http: {url: 'http://h:0/'}":                       `1:13: url: got "http://h:0/", want http://HOST/ or https://HOST/`,
		"http: {url: 'http://h:65536/'}":                   `1:13: url: got "http://h:65536/", want http://HOST/ or https://HOST/`,
		"http: {url: h, method: GET}":                      `1:13: url: got "h", want http://HOST/ or https://HOST/`,
		"http: {url: 'http://h', method: 'G T'}":           `1:33: method: got "G T", want an HTTP method such as GET`,
		"http: {url: 'http://h', redirects: -1}":           `1:36: redirects: got -1, want at least 0`,
		"http: {url: 'http://h', headers: {'a b': c}}":     `1:42: headers.a b: got a name or a value that HTTP does not allow, want a name without spaces and a value of one line`,
		"http: {url: 'http://h', headers: {a: \"b\\nc\"}}": `1:38: headers.a: got a name or a value that HTTP does not allow, want a name without spaces and a value of one line`,
		"http: {url: 'http://h', expect: {status: [1]}}":   `1:43: expect: status[0]: got 1, want an HTTP status from 100 to 599`,
		"tcp: {}":                                                     `1:6: address: got "", want HOST:PORT`,
		"tcp: {address: h}":                                           `1:16: address: got "h", want HOST:PORT`,
		"tcp: {address: ':80'}":                                       `1:16: address: got ":80", want HOST:PORT`,
		"tcp: {address: 'h:0'}":                                       `1:16: address: got "h:0", want HOST:PORT`,
		"tcp: {address: 'h:+80'}":                                     `1:16: address: got "h:+80", want HOST:PORT`,
		"tcp: {address: 'h:65536'}":                                   `1:16: address: got "h:65536", want HOST:PORT`,
		"tcp: {address: 'h:http'}":                                    `1:16: address: got "h:http", want HOST:PORT`,
		"tcp: {address: '::1:80'}":                                    `1:16: address: got "::1:80", want HOST:PORT`,
		"tls: {address: h}":                                           `1:16: address: got "h", want HOST:PORT`,
		"tls: {address: 'h:1', ca: none.pem}":                         `1:27: ca: open none.pem: no such file or directory`,
		"tls: {address: 'h:1', ca: tls.go}":                           `1:27: ca: got tls.go, want a file with certificates in PEM`,
		"tls: {address: 'h:1', expires: {critical: 400h}}":            `1:43: expires.critical: got 400h0m0s, want less than the warning's 336h0m0s`,
		"tls: {address: 'h:1', expires: {critical: 1h, warning: 1h}}": "",
		"tcp: {address: '[::1]:80'}":                                  "",
		"http: {url: 'https://[::1]:8443/a?b=c', headers: {X-A_1: 'é, b'}}": "",
	} {
		_, err := build(text)
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "f.yaml:")
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}
