package journeys

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestOpenFailures(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	tls := "https://" + base[len("http://"):]
	for name, c := range map[string]struct {
		base, path string
		cause      results.Cause
		want       string
	}{
		"refused":    {"http://" + deadAddress(t), "/", results.CauseRefused, "net::ERR_CONNECTION_REFUSED"},
		"503":        {base, "/503", results.CauseAnswer, "answered 503 Service Unavailable, want less than 400\n" + "page " + base + `/503 answered 503, titled "Sorry", says "Back soon"`},
		"500 empty":  {base, "/500-empty", results.CauseAnswer, "answered 500 Internal Server Error, want less than 400"},
		"404":        {base, "/none", results.CauseAnswer, "answered 404 Not Found"},
		"reset":      {base, "/reset", results.CauseReset, "net::ERR_EMPTY_RESPONSE"},
		"tls":        {tls, "/", results.CauseTLS, "net::ERR_SSL_PROTOCOL_ERROR"},
		"silent":     {base, "/hang", results.CauseTimeout, "no answer from " + base + "/hang after "},
		"half":       {base, "/half", results.CauseTimeout, `/half answered 200, titled "Half", still loading, says "half a page"`},
		"no content": {base, "/204", results.CauseAnswer, "answered 204 No Content with a download or with nothing to show, want a page"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := one(t, c.base, c.path)
			if c.cause == results.CauseTimeout {
				j = hastyFor(t, 3*time.Second, c.base, c.path)
			}
			wantResult(t, walk(t, p, j, ample), results.Critical, c.cause, "only: open "+c.base, c.want)
		})
	}
	t.Run("after a click", func(t *testing.T) {
		t.Parallel()
		wantResult(t, walk(t, p, one(t, base, "/to-dead", `click: "#dead"`), ample),
			results.Critical, results.CauseRefused, "only: click #dead: net::ERR_CONNECTION_REFUSED at http://127.0.0.1:")
	})
}

func TestNamesThatDoNotResolve(t *testing.T) {
	for cause, answer := range map[results.Cause]error{
		results.CauseNXDomain: &net.DNSError{Err: "no such host", IsNotFound: true},
		results.CauseResolver: &net.DNSError{Err: "i/o timeout", IsTimeout: true},
	} {
		t.Run(string(cause), func(t *testing.T) {
			t.Parallel()
			// The browser is told that the name has no address, so that nobody is asked.
			p := own(t, PoolOptions{Flags: map[string]string{"host-resolver-rules": "MAP gone.test ^NOTFOUND"}})
			p.lookup = func(_ context.Context, host string) error {
				if host != "gone.test" {
					t.Errorf("looked up %q, want gone.test", host)
				}
				return answer
			}
			want := results.Critical
			if cause == results.CauseResolver {
				want = results.Unknown
			}
			wantResult(t, walk(t, p, one(t, "http://gone.test", "/"), ample), want, cause, "net::ERR_NAME_NOT_RESOLVED at http://gone.test/")
		})
	}
}

func TestDeadlineOfTheCheck(t *testing.T) {
	p := warm(t)
	t.Parallel()
	j := write(t, serve(t), "steps: [{step: look, do: [{open: \"${base}/\"}, {see: Order placed}]}]\n")
	begin := time.Now()
	r := walk(t, p, j, 10*time.Second)
	wantResult(t, r, results.Critical, results.CauseTimeout, `look: see "Order placed": not on the page after `, `titled "Mugs"`)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v, want the evidence within the check's 10s", took)
	}
	wantPicture(t, artifact(t, r, "look", "failure"))
}

func TestStopped(t *testing.T) {
	p := warm(t)
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel() // the browser is waiting for this answer now
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	j := one(t, s.URL, "/")
	rec := results.NewRecorder()
	r := rec.Finish(NewCheck(j, p).Run(ctx, rec))
	wantResult(t, r, results.Unknown, results.CauseStopped, "stopped after")
}

func TestNetErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]results.Cause{
		"net::ERR_CONNECTION_TIMED_OUT":   results.CauseTimeout,
		"net::ERR_CERT_DATE_INVALID":      results.CauseTLS,
		"net::ERR_ADDRESS_UNREACHABLE":    results.CauseUnreachable,
		"net::ERR_INTERNET_DISCONNECTED":  results.CauseNetwork,
		"net::ERR_INSUFFICIENT_RESOURCES": results.CauseResources,
		"net::ERR_UNSAFE_PORT":            results.CausePermission,
		"net::ERR_DNS_TIMED_OUT":          results.CauseResolver,
		"net::ERR_TOO_MANY_REDIRECTS":     results.CauseAnswer,
	} {
		if _, got := netError(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
