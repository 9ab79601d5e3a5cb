package probes_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// serve starts an HTTP server that ends with the test.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// secure starts an HTTPS server whose certificate nobody has signed.
func secure(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func mugs(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Mugs") }

func TestHTTPPhases(t *testing.T) {
	t.Parallel()
	plain, tls := serve(t, mugs), secure(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Mugs over %s", r.Proto)
	})
	_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for text, steps := range map[string]string{
		"http: {url: '" + plain.URL + "', expect: {body: Mugs}}":                             "connect processing transfer",
		"http: {url: 'http://localhost:" + port + "/', expect: {body: Mugs}}":                "resolve connect processing transfer",
		"http: {url: '" + tls.URL + "', insecure: true, expect: {body: Mugs over HTTP/2.0}}": "connect tls processing transfer",
	} {
		res := look(t, text, patience)
		wants(t, res, results.OK, "", "", steps)
		last := res.Steps[len(res.Steps)-1]
		if last.Values["status_code"] != 200 || last.Values["bytes"] < 4 {
			t.Errorf("got values %v, want the status and the bytes", last.Values)
		}
	}
}

// The phases say where the time went: together they are the whole of it.
func TestHTTPPhasesAddUp(t *testing.T) {
	t.Parallel()
	const pause = 60 * time.Millisecond
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		wait(r.Context(), pause)
		fmt.Fprint(w, "Mu")
		w.(http.Flusher).Flush()
		wait(r.Context(), 2*pause)
		fmt.Fprint(w, "gs")
	})
	res := look(t, "http: {url: '"+s.URL+"', expect: {body: Mugs}}", patience)
	wants(t, res, results.OK, "", "", "connect processing transfer")
	var sum time.Duration
	for i, least := range []time.Duration{0, pause, 2 * pause} {
		least -= pause / 4 // what the server does reaches us a little later
		if d := res.Steps[i].Duration; d < least {
			t.Errorf("%s took %v, want at least %v", res.Steps[i].Name, d, least)
		}
		sum += res.Steps[i].Duration
	}
	if c := res.Steps[0].Duration; c > pause {
		t.Errorf("connect took %v, which is not the server's time", c)
	}
	if sum > res.Duration || res.Duration-sum > pause {
		t.Errorf("the phases are %v of %v, want about all of it", sum, res.Duration)
	}
}

// A body that takes long to send belongs to processing, and a phase that fails in it too.
func TestHTTPLongRequest(t *testing.T) {
	t.Parallel()
	address := listen(t, hold) // does not read either
	res := look(t, "http: {url: 'http://"+address+"/', method: POST, body: '${long}'}", 300*time.Millisecond)
	wants(t, res, results.Critical, results.CauseTimeout, "no end within the timeout of 300ms", "connect processing:timeout")
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func TestHTTPRedirects(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/3":
			http.Redirect(w, r, "/2", http.StatusFound)
		case "/2":
			http.Redirect(w, r, "/1", http.StatusMovedPermanently)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "gopher://x/", http.StatusFound)
		default:
			mugs(w, r)
		}
	})
	const hop = "connect processing transfer"
	for text, want := range map[string]string{
		"url: '%s/3', expect: {body: Mugs}":                                           hop + " " + hop + " " + hop,
		"url: '%s/3', redirects: 2":                                                   hop + " " + hop + " " + hop,
		"url: '%s/3', redirects: 0, expect: {status: [302]}":                          hop,
		"url: '%s/3', redirects: 0, expect: {headers: {Location: /2}, status: [302]}": hop,
	} {
		wants(t, look(t, "http: {"+fmt.Sprintf(text, s.URL)+"}", patience), results.OK, "", "", want)
	}
	res := look(t, "http: {url: '"+s.URL+"/3', redirects: 1}", patience)
	wants(t, res, results.Critical, results.CauseAnswer, "redirects: got more than 1", hop+" connect processing transfer:answer")
	res = look(t, "http: {url: '"+s.URL+"/3', redirects: 0}", patience)
	wants(t, res, results.Critical, results.CauseAnswer, "status: got 302, want 200 or", hop)
	res = look(t, "http: {url: '"+s.URL+"/loop'}", patience)
	if res.Status != results.Critical || res.Cause != results.CauseAnswer || !strings.Contains(res.Message, "redirects: got more than 10") || len(res.Steps) != 33 {
		t.Errorf("got %v %s %q and %d steps, want a loop ended after 10", res.Status, res.Cause, res.Message, len(res.Steps))
	}
	res = look(t, "http: {url: '"+s.URL+"/elsewhere'}", patience)
	wants(t, res, results.Critical, results.CauseAnswer, `unsupported protocol scheme "gopher"`, "connect processing transfer:answer")
}

func TestHTTPFailures(t *testing.T) {
	t.Parallel()
	raw := func(answer string, end func(context.Context, *net.TCPConn)) string {
		return "http://" + listen(t, func(ctx context.Context, c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, answer)
			end(ctx, c)
		}) + "/"
	}
	shut := func(context.Context, *net.TCPConn) {}
	reset := func(_ context.Context, c *net.TCPConn) { _ = c.SetLinger(0) }
	const half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of"
	plain := serve(t, mugs)
	self := secure(t, mugs)
	endless := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for b := make([]byte, 1<<16); ; {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	})
	for name, c := range map[string]struct {
		settings string
		cause    results.Cause
		says     string
		steps    string
	}{
		"refused":            {"url: 'http://" + refusing(t) + "/'", results.CauseRefused, "connection refused", "connect:refused"},
		"closed unanswered":  {"url: '" + raw("", shut) + "'", results.CauseReset, "EOF", "connect processing:reset"},
		"reset unanswered":   {"url: '" + raw("", reset) + "'", results.CauseReset, "connection reset by peer", "connect processing:reset"},
		"reset mid-body":     {"url: '" + raw(half, reset) + "'", results.CauseReset, "body: ", "connect processing transfer:reset"},
		"closed mid-body":    {"url: '" + raw(half, shut) + "'", results.CauseReset, "body: unexpected EOF", "connect processing transfer:reset"},
		"stuck in body":      {"url: '" + raw(half, hold) + "'", results.CauseTimeout, "no end within the timeout of 400ms: GET", "connect processing transfer:timeout"},
		"never answers":      {"url: '" + raw("", hold) + "'", results.CauseTimeout, "no end within the timeout of 400ms: Get", "connect processing:timeout"},
		"no handshake":       {"url: 'https://" + listen(t, hold) + "/'", results.CauseTimeout, "no end within the timeout of 400ms: Get", "connect tls:timeout"},
		"no HTTP":            {"url: '" + raw("SSH-2.0-OpenSSH_9.6\r\n", shut) + "'", results.CauseAnswer, "malformed HTTP", "connect processing transfer:answer"},
		"wrong body":         {"url: '" + plain.URL + "', expect: {body: Cups}", results.CauseAnswer, "GET " + plain.URL + `: body: got "Mugs", want it to contain "Cups"`, "connect processing transfer"},
		"wrong status":       {"url: '" + plain.URL + "', expect: {status: [503]}", results.CauseAnswer, "status: got 200, want 503", "connect processing transfer"},
		"endless body":       {"url: '" + endless.URL + "'", results.CauseAnswer, "body: got more than 10485760 bytes, want at most that", "connect processing transfer:answer"},
		"self-signed":        {"url: '" + self.URL + "'", results.CauseTLS, "certificate signed by unknown authority", "connect tls:tls"},
		"plain HTTP for TLS": {"url: '" + strings.Replace(plain.URL, "http:", "https:", 1) + "'", results.CauseTLS, "server gave HTTP response to HTTPS client", "connect tls:tls"},
		"TLS for plain HTTP": {"url: '" + strings.Replace(self.URL, "https:", "http:", 1) + "'", results.CauseAnswer, "status: got 400", "connect processing transfer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := patience
			if c.cause == results.CauseTimeout {
				timeout = 400 * time.Millisecond
			}
			wants(t, look(t, "http: {"+c.settings+"}", timeout), results.Critical, c.cause, c.says, c.steps)
		})
	}
}

// Whoever stops the run is not the service's fault, in no step.
func TestHTTPStopped(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	r := runner(t, "http: {url: '"+s.URL+"'}", patience)
	res, err := r.Run(ctx, r.Now("c", ""))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, res, results.Unknown, results.CauseStopped, "stopped before it ended", "connect processing:stopped")
}

func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, pass, _ := r.BasicAuth()
		got <- fmt.Sprint(r.Method, " ", r.URL, " ", r.Host, " ", r.Header.Get("X-Team"), " ", r.UserAgent(), " ", user, ":", pass, " ", string(body))
	})
	host := s.Listener.Addr().String()
	for settings, want := range map[string]string{
		"url: '" + s.URL + "/a?b=c'": "GET /a?b=c " + host + "  foreshock : ",
		"url: '" + s.URL + "', method: POST, body: '{\"a\": 1}', headers: {x-team: shop, HOST: shop.example, user-agent: me}": `POST / shop.example shop me : {"a": 1}`,
		"url: 'http://ann:hunter2@" + host + "/'": "GET / " + host + "  foreshock ann:hunter2 ",
	} {
		wants(t, look(t, "http: {"+settings+"}", patience), results.OK, "", "", "connect processing transfer")
		if g := <-got; g != want {
			t.Errorf("%s:\ngot  %s\nwant %s", settings, g, want)
		}
	}
}

func TestHTTPShowsNoPassword(t *testing.T) {
	t.Parallel()
	s := serve(t, mugs)
	up, down := strings.Replace(s.URL, "//", "//ann:hunter2@", 1), "http://ann:hunter2@"+refusing(t)
	for _, settings := range []string{"url: '" + up + "', expect: {body: Cups}", "url: '" + up + "', expect: {status: [500]}", "url: '" + down + "'"} {
		res := look(t, "http: {"+settings+"}", patience)
		if res.Status != results.Critical || strings.Contains(fmt.Sprint(res), "hunter2") || !strings.Contains(res.Message, "ann:") {
			t.Errorf("got %v, want critical and no password", res)
		}
	}
	_, err := build("http: {url: 'http://ann:hunter2@" + s.Listener.Addr().String() + "', method: 'x y'}")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
	_, err = build("http: {url: 'ftp://ann:hunter2@h/'}")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}
